"""Read a source's alignments into tables."""

from faceset.workflow.jobs import Job, run_script


def compute(job: Job) -> None:
    """Only on a miss, so that a hit imports no more than it needs."""
    from faceset.alignments.files import read_alignments, read_msgpack
    from faceset.alignments.ingest import ingest

    file = job.file("alignments")
    ingest(
        read_alignments(file) if file else read_msgpack(job.input("detected")),
        str(file),
        job.source.frames,
        job.input("frames"),
        job.params["source"],
        job.output("faces"),
        job.output("alignments"),
        job.output("problems"),
    )


run_script(snakemake, compute)
