"""Decide which faces a faceset keeps."""

from faceset.workflow.jobs import Job, run_script


def compute(job: Job) -> None:
    """Only on a miss, so that a hit imports no more than it needs."""
    from faceset.decisions.manifest import make_manifest

    make_manifest(
        job.inputs_by("source", "faces"),
        job.inputs_by("source", "measures"),
        job.inputs_by("source", "tracks"),
        job.input("clusters"),
        job.file("keep_list"),
        job.params["policy"],
        job.params["filters"],
        job.output("manifest"),
        job.output("notices"),
        job.input("nearness") if "nearness" in job.step.inputs else None,
    )


run_script(snakemake, compute)
