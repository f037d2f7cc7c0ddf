"""The script of every rule: run the rule's stage for the job's wildcards."""

import sys

sys.path.insert(0, snakemake.scriptdir)  # before another Faceset that may be installed

from faceset.workflow.rule_jobs import run_rule

run_rule(snakemake)
