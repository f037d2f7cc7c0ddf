"""Access to the project: what rules take as input, output and GPUs, all from the table in faceset.stages.

Around a run of the main process, the records are primed before Snakemake plans, and the summary is printed after.
"""

import atexit
import contextlib
import fcntl
import functools
import os
import re
import sys
import time
from pathlib import Path

from snakemake.exceptions import WorkflowError

from faceset.project.config import check_yaml
from faceset.errors import FacesetError
from faceset.workflow.jobs import failures_since
from faceset.workflow.priming import forecast, is_known, prime
from faceset.project.project import load_project
from faceset.stages.table import STAGES
from faceset.store.locks import shared

STARTED = time.time()
CONFIG_FILE = "config/config.yaml"

try:
    if workflow.is_main_process and not os.access(".", os.W_OK):
        raise FacesetError(f"{Path.cwd()}: can not be written, and results, store and logs go there.")
    check_yaml(Path(CONFIG_FILE))
except FacesetError as error:
    raise WorkflowError(str(error)) from None


configfile: CONFIG_FILE


try:
    PROJECT = load_project(config)
except FacesetError as error:
    raise WorkflowError(str(error)) from None


wildcard_constraints:
    source="|".join(map(re.escape, PROJECT.sources)),
    faceset="|".join(map(re.escape, PROJECT.config.facesets)),
    shard=r"\d+-of-\d+",


def claim_folder():
    """Keep other runs out of this folder, from before priming: Snakemake's own lock comes only after planning."""
    global FOLDER_LOCK, STORE_LOCK  # held until the process ends, however it ends
    FOLDER_LOCK = Path(".snakemake/faceset.lock").open("w")
    try:
        fcntl.flock(FOLDER_LOCK, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FacesetError("another run is at work in this folder. Wait for it to end.") from None
    if list(Path(".snakemake/locks").glob("*")):
        raise FacesetError("a run in this folder was killed. Run this command once with --unlock, then again.")
    STORE_LOCK = shared(PROJECT.store.root)
    STORE_LOCK.__enter__()


@functools.cache
def prime_once():
    """Make the records say what the store knows: once, in a main process that is going to run jobs.

    A dry run changes nothing, and says instead what a run would find.
    """
    if not workflow.is_main_process or workflow.executor_plugin is None or workflow.touch:
        return
    try:
        if workflow.dryrun:
            atexit.register(print, forecast(PROJECT), flush=True)
        else:
            claim_folder()
            prime(PROJECT)
            atexit.register(print_summary, Path.cwd())
    except (FacesetError, OSError) as error:
        sys.exit(f"faceset: {error}")  # what Snakemake makes of an exception in here is a traceback


def print_summary(folder):
    """Say what there is now, in the end of every run that did not fail.

    Not in `onsuccess`, which Snakemake passes over if there was nothing to do.
    """
    from faceset.workflow.summary import summarise

    with contextlib.chdir(folder):
        try:
            print(summarise(PROJECT), flush=True)
        except FacesetError as error:
            print(f"faceset: {error}", file=sys.stderr)


onerror:
    atexit.unregister(print_summary)
    for failure in failures_since(Path("logs"), STARTED):
        print(failure, file=sys.stderr)


def where_of(wildcards):
    """Which instance of a stage a job works on, or a shard of it."""
    return {name: value for name, value in wildcards.items() if name != "shard"}


def inputs_of(stage):
    """The input function of a stage's rule."""

    def inputs(wildcards):
        prime_once()
        where = where_of(wildcards)
        known = Path(STAGES[stage].record.format(**where)).exists()
        shards = [] if known or "shard" in wildcards.keys() else STAGES[stage].shards_of(PROJECT, where)
        return [*STAGES[stage].record_inputs(PROJECT, where), *shards]

    return inputs


def outputs_of(stage):
    """The outputs of a stage's rule: its record, and its links."""
    return {"record": STAGES[stage].record, **STAGES[stage].links}


def gpu_of(stage):
    """The GPUs that a stage's job asks for: none where it runs no model, or the store knows its result already."""

    def gpu(wildcards, input):  # the name that Snakemake asks for
        return 1 if STAGES[stage].models(PROJECT) and not is_known(PROJECT, stage, where_of(wildcards)) else 0

    return gpu


def memory(mb):
    """The memory that a job asks for: twice as much each time it is tried again."""

    def mem_mb(wildcards, attempt):  # the names that Snakemake asks for
        return mb * 2 ** (attempt - 1)

    return mem_mb


def all_targets(wildcards):
    """The records that nothing else reads, and the report."""
    prime_once()
    return [
        STAGES[name].record.format(**where) for name in ("crate", "report") for where in STAGES[name].instances(PROJECT)
    ]
