"""Use the library without Snakemake: print who is who in a project, and cut one face of a source.

In a project's working directory: `<repository>/.venv/bin/python <repository>/docs/library.py SOURCE PICTURE.png`
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from faceset.errors import FacesetError
from faceset.footage.frames import read_frames
from faceset.geometry.transforms import PADDING_RATIO, base_matrices, crop_matrices, warp_face
from faceset.project.current import current_project, source_named
from faceset.project.project import Project
from faceset.stages.graph import instances_of, stages_before
from faceset.stages.table import STAGES
from faceset.workflow.jobs import Means, run_stage
from faceset.workflow.results import Results


def run_up_to(project: Project, stage_name: str) -> None:
    """Bring a stage up to date, with all that it reads; what the store knows is not computed again."""
    stage = STAGES[stage_name]
    for one in [*stages_before(stage), stage]:
        for instance in instances_of(project, one):
            computed = run_stage(project, one.name, Means(gpus=1, threads=2), **instance)
            print(one.name, *instance.values(), "computed" if computed else "known")


def cut_largest_face(project: Project, source: str, output: Path, size_px: int = 256) -> str:
    """Cut the largest face of a source as faceswap crops it, legacy centering. Returns its id."""
    results = Results(project)
    frames = results.get("frames", "frames", source=source).path
    faces = pd.read_parquet(results.get("ingest", "faces", source=source).path)
    face = faces[faces["problem"].isna()].nlargest(1, "w").iloc[0]
    ((_, picture),) = read_frames(project.sources[source].frames, frames, [int(face["position"])])
    points = face["landmarks"].reshape(1, -1, 2)
    (matrix,) = crop_matrices(base_matrices(points), np.zeros((1, 2)), size_px, PADDING_RATIO["legacy"])
    cv2.imwrite(str(output), warp_face(picture, matrix, size_px))
    return str(face["face_id"])


def main() -> None:
    """Run the stages up to `cluster`, then read their tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source")
    parser.add_argument("picture", type=Path)
    arguments = parser.parse_args()
    try:
        tell(arguments.source, arguments.picture)
    except FacesetError as error:
        sys.exit(str(error))


def tell(source: str, picture: Path) -> None:
    """Print who is who in the project in the current folder, and cut a face of a source into a picture."""
    project = current_project()
    source_named(project, source)
    run_up_to(project, "cluster")
    clusters = pd.read_parquet(Results(project).get("cluster", "clusters").path)
    for cluster, faces in clusters.groupby("cluster"):
        print(f"{cluster}: {len(faces)} faces, for example {', '.join(faces['face_id'].head(3))}")
    print(f"{picture}: {cut_largest_face(project, source, picture)}")


if __name__ == "__main__":
    main()
