"""Show people, decisions and problems on one page."""

from faceset.workflow.jobs import Job, run_script


def compute(job: Job) -> None:
    """Only on a miss, so that a hit imports no more than it needs."""
    from faceset.report.page import write_report

    write_report(
        job.output("report"),
        **job.params,
        **{
            name: job.inputs_by("source", name)
            for name in ("frames", "faces", "problems", "chips", "measures", "tracks")
        },
        clusters=job.input("clusters"),
        pairs=job.input("pairs"),
        doubts=job.input("doubts"),
        steps=job.input("steps"),
        nearness=job.inputs_by("faceset", "nearness") if "nearness" in job.step.inputs else {},
        manifests=job.inputs_by("faceset", "manifest"),
        notices=job.inputs_by("faceset", "notices"),
    )


run_script(snakemake, compute)
