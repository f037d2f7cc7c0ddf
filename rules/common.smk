"""Access to the project: what rules take as input, output and GPUs, all from the stages that the library declares.

Paths here are those of a project without a prefix: where another workflow imports this one, Snakemake puts its prefix
before them, and `project` learns it from the rules.
"""

import functools
import os
import re
import sys
from dataclasses import asdict, replace
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.27")

# What is used of Snakemake beyond its documented interface.
UNDOCUMENTED = ("is_main_process", "executor_plugin", "dryrun", "touch", "current_basedir", "modifier")
if missing := [name for name in UNDOCUMENTED if not hasattr(workflow, name)]:
    raise WorkflowError(
        f"This version of Snakemake has no workflow.{', workflow.'.join(missing)}. Use the one that requirements.lock "
        "names."
    )

try:
    SCRIPTS = Path(os.fspath(workflow.current_basedir)).parent / "scripts"
except TypeError:
    raise WorkflowError(
        "Faceset cannot be imported from a remote place. Clone it, and name the path of its Snakefile."
    ) from None
sys.path.insert(0, str(SCRIPTS))
import faceset
from faceset.errors import FacesetError
from faceset.project.project import load_project, prefix_of
from faceset.project.validation import check_yaml
from faceset.stages.graph import instances_of, records_read
from faceset.stages.table import STAGES
from faceset.store.parts import SHARD_NAME
from faceset.workflow.jobs import shard_marks
from faceset.workflow.priming import is_known
from faceset.workflow.session import SESSION, check_folder

sys.path.remove(str(SCRIPTS))  # a module that imports this one may have scripts of the same names
if Path(faceset.__file__).parent != SCRIPTS / "faceset":
    raise WorkflowError(f"Two copies of Faceset, {faceset.__file__} and {SCRIPTS}: import one of them.")

CONFIG_FILE = "config/config.yaml"
if not workflow.modifier.skip_configfile:  # else an importing workflow gave the settings
    try:
        check_yaml(Path(CONFIG_FILE))  # before Snakemake, which does not tell the place
    except FacesetError as error:
        raise WorkflowError(str(error)) from None


configfile: CONFIG_FILE


try:
    if workflow.is_main_process:
        check_folder()
    PROJECT = load_project(config, check=workflow.is_main_process)
except FacesetError as error:
    raise WorkflowError(str(error)) from None


wildcard_constraints:
    source="|".join(map(re.escape, PROJECT.sources)),
    faceset="|".join(map(re.escape, PROJECT.config.facesets)),
    shard=SHARD_NAME,


@functools.cache
def project():
    """The project, with the prefix that an importing workflow may have given; known once all rules are read."""
    try:
        prefix = prefix_of(str(rules.frames.output.record), STAGES["frames"].record)
    except FacesetError as error:
        raise WorkflowError(str(error)) from None
    return replace(PROJECT, prefix=prefix)


def begin():
    """Have the session begin, in a main process that is going to run jobs or to say what it would run."""
    if workflow.is_main_process and workflow.executor_plugin is not None and not workflow.touch:
        try:
            SESSION.begin(project(), workflow.dryrun)
        except (FacesetError, OSError) as error:
            sys.exit(f"faceset: {error}")  # what Snakemake makes of an exception in here is a traceback


onerror:
    SESSION.fail()


def instance_of(wildcards):
    """Which instance of a stage a job works on, or a shard of it."""
    return {name: value for name, value in wildcards.items() if name != "shard"}


def inputs_of(stage):
    """The input function of a stage's rule: records, the marks of shards, and files of the user's."""

    def inputs(wildcards):
        begin()
        instance = instance_of(wildcards)
        known = project().path(STAGES[stage].record.format(**instance)).exists()
        shards = [] if known or "shard" in wildcards.keys() else shard_marks(PROJECT, stage, instance)
        files = [local(str(path)) for path in STAGES[stage].files(PROJECT, instance).values()]  # never prefixed
        return [*records_read(PROJECT, STAGES[stage], instance), *shards, *files]

    return inputs


def outputs_of(stage):
    """The outputs of a stage's rule: its record, and its links."""
    return {"record": STAGES[stage].record, **STAGES[stage].links}


def params_of(stage):
    """The parameters of a stage's rule: which stage its script runs, and the settings, checked and complete."""
    return {"stage": stage, "settings": asdict(PROJECT.config)}


def gpu_of(stage):
    """The GPUs that a stage's job asks for: none where it runs no model, or the store knows its result already."""

    def gpu(wildcards, input):  # the name that Snakemake asks for
        return 1 if STAGES[stage].models(PROJECT) and not is_known(project(), stage, instance_of(wildcards)) else 0

    return gpu


def memory(mb):
    """The memory that a job asks for: twice as much each time it is tried again."""

    def mem_mb(wildcards, attempt):  # the names that Snakemake asks for
        return mb * 2 ** (attempt - 1)

    return mem_mb


def records_of(*stages):
    """An input function: the records of all instances of some stages."""

    def records(wildcards):
        begin()
        return [
            STAGES[name].record.format(**instance)
            for name in stages
            for instance in instances_of(PROJECT, STAGES[name])
        ]

    return records


TERMINAL = [name for name, stage in STAGES.items() if stage.terminal]
