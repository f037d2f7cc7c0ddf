"""Input that is poor but usable is used, what cannot be used is said, and an interrupted run goes on."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pandas as pd
import pytest

from conftest import DEMO, snakemake
from faceset.alignments.files import fsa_bytes, read_alignments
from faceset.digests import file_digest
from faceset.project.project import REPOSITORY
from test_bad_input import HEADER, make_project


def test_a_face_with_bad_landmarks_is_kept_in_the_tables_and_never_extracted(tmp_path: Path) -> None:
    folder = make_project(tmp_path)
    (folder / "config/config.yaml").write_text("facesets: {main: {policy: all}}\n")
    data = read_alignments(folder / "photos.fsa").data
    frames = data["__data__"]
    bad = {
        "frame_000002": ("not_finite", [[float("nan"), 5.0]] * 68),
        "frame_000003": ("landmarks_in_one_place", [[50.0, 60.0]] * 68),
        "frame_000004": (
            "landmarks_far_outside",
            (np.random.default_rng(1).random((68, 2)) * 90 + 9000).tolist(),
        ),
    }
    for frame, (_, landmarks) in bad.items():
        frames[f"{frame}.jpg"]["faces"][0]["landmarks_xy"] = landmarks
    frames["frame_000001.jpg"]["faces"] = []
    del frames["frame_000005.jpg"]
    frames["elsewhere.jpg"] = frames["frame_000006.jpg"]
    (folder / "photos.fsa").write_bytes(fsa_bytes(data))

    run = snakemake(folder)
    assert run.code == 0, run.text
    faces = pd.read_parquet(folder / "results/photos/faces.parquet").set_index("face_id")
    manifest = pd.read_parquet(folder / "results/facesets/main/manifest.parquet").set_index("face_id")
    names = {path.name for path in (folder / "results/facesets/main/faces").iterdir()}
    for frame, (problem, _) in bad.items():
        assert faces.loc[f"photos/{frame}_0", "problem"] == problem
        assert manifest.loc[f"photos/{frame}_0", ["decided_by", "rule"]].tolist() == ["problem", problem]
    assert len(names) == faces["problem"].isna().sum() == manifest["kept"].sum()
    problems = pd.read_parquet(folder / "results/photos/problems.parquet")
    told = set(zip(problems["kind"], problems["frame"], strict=True))
    assert {("no_faces", "frame_000001"), ("frame_without_entry", "frame_000005")} <= told
    assert ("entry_without_frame", "elsewhere.jpg") in told
    assert {("bad_face", frame) for frame in bad} <= told
    assert "bad face" in run.text


def test_footage_without_any_face_makes_an_empty_faceset_and_says_so(tmp_path: Path) -> None:
    folder = make_project(tmp_path)
    shutil.rmtree(folder / "footage")
    (folder / "footage").mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"footage/{number}.png"), np.full((120, 160 + 20 * number, 3), 40 * number, np.uint8))
    (folder / "config/sources.tsv").write_text(f"{HEADER}photos\tfootage\tdetect\t\n")
    run = snakemake(folder)
    assert run.code == 0, run.text
    assert pd.read_parquet(folder / "results/clusters.parquet").empty
    assert not list((folder / "results/facesets/main/faces").iterdir())
    assert "empty" in run.text
    assert "rights" in run.text


def test_what_decodes_of_a_video_cut_off_is_used_and_the_rest_said(tmp_path: Path) -> None:
    folder = make_project(tmp_path)
    whole = (DEMO / "footage/interview.mp4").read_bytes()
    command = ["-c", "import av,sys\n" + REMUX, str(DEMO / "footage/interview.mp4"), str(folder / "film.mkv")]
    subprocess.run([sys.executable, *command], check=True)
    film = folder / "film.mkv"
    film.write_bytes(film.read_bytes()[: len(whole) // 2])
    (folder / "config/sources.tsv").write_text(f"{HEADER}film\tfilm.mkv\tdetect\tour own\n")
    run = snakemake(folder, "--cores", "2", "--until", "ingest")
    assert run.code == 0, run.text
    frames = pd.read_parquet(folder / "results/film/frames.parquet")
    assert 20 < len(frames) < 240
    problems = pd.read_parquet(folder / "results/film/problems.parquet")
    assert "footage_cut_short" in set(problems["kind"])


def test_frames_of_several_sizes_and_a_video_of_changing_rate_go_all_the_way(tmp_path: Path) -> None:
    folder = make_project(tmp_path)
    picture = cv2.imread(str(folder / "footage/frame_000002.jpg"))
    cv2.imwrite(str(folder / "footage/frame_000002.jpg"), cv2.copyMakeBorder(picture, 0, 40, 0, 90, 0))
    with av.open(str(folder / "film.mkv"), "w") as film:
        stream = film.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.codec_context.time_base = 640, 360, Fraction(1, 1000)
        times = np.cumsum([40, 40, 500, 33, 7, 1000, 40])
        for number, time in enumerate(times, 2):
            shown = cv2.imread(str(folder / f"footage/frame_{number:06d}.jpg"))[:360, :640]
            frame = av.VideoFrame.from_ndarray(shown, "bgr24")
            frame.pts, frame.time_base = int(time), Fraction(1, 1000)
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
    data = read_alignments(folder / "photos.fsa").data
    of_film = {f"film_{n - 1:06d}.mkv": data["__data__"][f"frame_{n:06d}.jpg"] for n in range(2, 2 + len(times))}
    (folder / "film.fsa").write_bytes(fsa_bytes({**data, "__data__": of_film}))
    lines = f"{HEADER}photos\tfootage\tphotos.fsa\tour own\nfilm\tfilm.mkv\tfilm.fsa\tour own\n"
    (folder / "config/sources.tsv").write_text(lines)
    (folder / "config/config.yaml").write_text("facesets: {main: {policy: all}}\n")
    run = snakemake(folder)
    assert run.code == 0, run.text
    frames = pd.read_parquet(folder / "results/film/frames.parquet")
    assert np.diff(frames["pts"]).tolist() == np.diff(times).tolist()
    sizes = pd.read_parquet(folder / "results/photos/frames.parquet")["width"]
    assert sorted(set(sizes)) == [640, 730]
    kept = pd.read_parquet(folder / "results/facesets/main/faceset.parquet")
    assert set(kept["source"]) == {"photos", "film"}


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nobody write to a folder, not even root, who needs a mount for that."""
    if os.geteuid() != 0:
        pytest.skip("a read-only place that root respects needs a mount, and that needs root")
    mounted = subprocess.run(["mount", "--bind", folder, folder], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no mount to be had here: {mounted.stderr}")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_working_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "work")
    with read_only(folder):
        run = snakemake(folder)
        assert run.code != 0
        assert f"{folder}: cannot be written" in run.text, run.text
        assert "Traceback" not in run.text


def test_a_store_that_can_only_be_read_gives_what_it_knows_and_says_what_it_can_not(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "work")
    store = tmp_path / "store"
    store.mkdir()
    settings = f"store: {store}\n"
    (folder / "config/config.yaml").write_text(settings)
    assert snakemake(folder).code == 0
    with read_only(store):
        shutil.rmtree(folder / "results")
        run = snakemake(folder)
        assert run.nothing_to_do, run.text
        assert list((folder / "results/facesets/main/faces").iterdir())
        (folder / "config/config.yaml").write_text(f"{settings}facesets: {{main: {{policy: all}}}}\n")
        more = snakemake(folder)
        assert more.code != 0
        assert "cannot be written" in more.text, more.text
        assert "Set `store` in the config" in more.text
        assert "Traceback" not in more.text


REMUX = """
with av.open(sys.argv[1]) as origin, av.open(sys.argv[2], "w") as copy:
    stream = origin.streams.video[0]
    target = copy.add_stream_from_template(stream)
    for packet in origin.demux(stream):
        if packet.dts is not None:
            packet.stream = target
            copy.mux(packet)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_ends_in_one_line_and_the_next_run_goes_on(tmp_path: Path) -> None:
    folder = make_project(tmp_path)
    disk = tmp_path / "disk"
    disk.mkdir()
    (folder / "config/config.yaml").write_text("store: disk/store\n")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "none", disk], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no small disk to be had here: {mounted.stderr}")
    try:
        run = snakemake(folder, "--cores", "2", "--until", "crop")
        assert run.code != 0
        assert "No space left" in run.text
        assert "Traceback" not in run.text
        assert not (folder / "results/photos/crop.json").exists()
        subprocess.run(["mount", "-o", "remount,size=100m", disk], check=True)
        again = snakemake(folder, "--cores", "2", "--until", "crop")
        assert again.code == 0, again.text
        assert "frames photos" not in again.computed, "what was made before the disk was full is kept"
    finally:
        subprocess.run(["umount", disk], check=True)


def test_an_interrupted_run_ends_cleanly_and_the_next_one_completes(tmp_path: Path) -> None:
    folder = make_project(tmp_path)
    (folder / "config/sources.tsv").write_text(f"{HEADER}film\t{DEMO / 'footage/interview.mp4'}\tdetect\tour own\n")
    command = [sys.executable, "-m", "snakemake", "--snakefile", REPOSITORY / "Snakefile", "--cores", "2"]
    process = subprocess.Popen(
        [*command, "--until", "ingest"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # Where the tests run in the background, interrupts are ignored, which children inherit.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "frames looked at" in line:
            os.killpg(process.pid, signal.SIGINT)
    assert process.wait() != 0
    assert "Traceback" not in "".join(lines), "".join(lines)
    assert not (folder / "results/film/detect.json").exists()
    again = snakemake(folder, "--cores", "2", "--until", "ingest")
    assert again.code == 0, again.text
    assert again.computed == ["detect film", "ingest film"]
    for path in (folder / "store/objects").glob("*/*"):
        assert file_digest(path) == path.name
