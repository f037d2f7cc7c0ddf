"""Cut a faceset's training faces from one source."""

from faceset.workflow.jobs import Job, run_script


def compute(job: Job) -> None:
    """Only on a miss, so that a hit imports no more than it needs."""
    from faceset.training.extraction import extract_faces

    with job.cuts() as cuts:
        extract_faces(
            job.source.frames,
            job.input("frames"),
            job.input("faces"),
            job.input("measures"),
            job.input("alignments"),
            job.input("kept"),
            cuts,
            job.output("extracted"),
            **job.params,
            threads=snakemake.threads,
        )


run_script(snakemake, compute)
