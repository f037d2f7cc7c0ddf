"""Promises of long sources that are dealt out over several jobs."""

from pathlib import Path

from conftest import all_bytes, snakemake
from faceset.alignments.files import fsa_bytes, read_alignments
from faceset.footage.parts import FRAMES_A_PART
from test_bad_input import PHOTOS

FRAMES = FRAMES_A_PART + 1
FACE_EVERY = 500


def write_footage(folder: Path) -> None:
    """A folder of two parts, all its frames one picture, with faces in some; and their alignments beside it."""
    folder.mkdir()
    first = folder / "000001.jpg"
    first.write_bytes((PHOTOS / "frames/frame_000001.jpg").read_bytes())
    for number in range(2, FRAMES + 1):
        (folder / f"{number:06d}.jpg").hardlink_to(first)
    data = read_alignments(PHOTOS / "alignments.fsa").data
    entry = data["__data__"]["frame_000001.jpg"]
    data["__data__"] = {f"{number:06d}.jpg": entry for number in range(1, FRAMES + 1, FACE_EVERY)}
    folder.with_suffix(".fsa").write_bytes(fsa_bytes(data))


def test_seven_shards_give_the_bytes_of_one_job(tmp_path: Path) -> None:
    footage = tmp_path / "film"
    write_footage(footage)
    results = {}
    for shards in (1, 7):
        folder = tmp_path / f"{shards} shards"
        (folder / "config").mkdir(parents=True)
        (folder / "config/config.yaml").write_text("facesets: {main: {policy: all, extract: {size_px: 64}}}\n")
        row = f"film\t{footage}\t{footage.with_suffix('.fsa')}\tmade up\t{shards}\n"
        (folder / "config/sources.tsv").write_text(f"source\tframes\talignments\trights\tshards\n{row}")
        run = snakemake(folder)
        assert run.code == 0, run.text
        found = all_bytes(folder / "results")
        del found["facesets/main/.faces.json"]  # the ledger of real files holds their times
        results[shards] = found
        for stage in ("crop", "embed"):
            logs = {path.name for path in (folder / "logs" / stage).iterdir()}
            of_shards = {f"film.{number}-of-7.log" for number in range(1, 8)} if shards == 7 else set()
            assert logs == {"film.log"} | of_shards
        assert snakemake(folder).nothing_to_do
    assert results[1] == results[7]
