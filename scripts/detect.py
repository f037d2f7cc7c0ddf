"""Find the faces of a source that comes without alignments."""

from faceset.workflow.jobs import Job, run_script


def compute(job: Job) -> None:
    """Only on a miss, so that a hit imports no more than it needs."""
    from faceset.models.footage_faces import detect_footage
    from faceset.project.project import MODELS_FOLDER

    job.ran_on = detect_footage(
        job.source.frames,
        job.input("frames"),
        job.output("detected"),
        job.models,
        MODELS_FOLDER,
        job.device,
        job.parts,
        **job.params,
    )


run_script(snakemake, compute)
