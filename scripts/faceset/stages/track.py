"""Follow the faces of a source over its frames."""

from faceset.stages.embed import STAGE as EMBED
from faceset.stages.ingest import STAGE as INGEST
from faceset.stages.stage import PER_SOURCE, Job, Stage


def compute(job: Job) -> None:
    from faceset.people.tracks import make_tracks

    make_tracks(job.input("faces"), job.input("embeddings"), job.output("tracks"), **job.settings)


STAGE = Stage(
    name="track",
    folder=PER_SOURCE,
    outputs={"tracks": "tracks.parquet"},
    compute=compute,
    inputs={"faces": INGEST["faces"], "embeddings": EMBED["embeddings"]},
    settings=lambda project, _instance: {"threshold": project.identity.threshold},
)
