"""Write a source's alignments with a faceset's faces only."""

from faceset.workflow.jobs import Job, run_script


def compute(job: Job) -> None:
    """Only on a miss, so that a hit imports no more than it needs."""
    from faceset.training.cleaned import clean_alignments

    clean_alignments(
        job.input("alignments"),
        job.input("frames"),
        job.input("manifest"),
        job.params["source"],
        job.params["video"],
        job.output("fsa"),
        job.output("alignments"),
        job.output("kept"),
    )


run_script(snakemake, compute)
