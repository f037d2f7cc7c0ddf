"""Promises of footage: what its frames are, and that any of them can be read alone."""

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pyarrow as pa
import pytest

from faceset.errors import FacesetError
from faceset.footage import decoding as footage
from faceset.footage.digests import footage_signature
from faceset.footage.frames import read_frames
from faceset.footage.tables import FRAMES
from faceset.tables.parquet import read_table, write_table
from factory import HEIGHT, WIDTH, picture, turn_quarter_clockwise, write_frames, write_pictures, write_video

H264_ADJACENT_KEYFRAMES = {"keyframes": (10, 11, 12, 20), "options": {"x264-params": "scenecut=0:min-keyint=1"}}


def listed(footage: Path) -> Path:
    """The frames table of some footage, beside it."""
    output = footage.with_name(f"{footage.name}.parquet")
    write_frames(footage, output)
    return output


def frames(footage: Path) -> pa.Table:
    return read_table(listed(footage), FRAMES)


def pixels(footage: Path, table: Path, positions: Sequence[int]) -> list[np.ndarray]:
    found = list(read_frames(footage, table, positions))
    assert [position for position, _ in found] == list(positions)
    return [frame for _, frame in found]


def test_a_video_s_frames_are_numbered_from_one_in_the_order_shown(tmp_path: Path) -> None:
    video = write_video(tmp_path / "film.mp4", frames=25, options={"sc_threshold": "0"})
    table = frames(video)
    assert table["position"].to_pylist() == list(range(25))
    assert table["frame"].to_pylist()[::24] == ["000001", "000025"]
    assert set(table["name"].to_pylist()) == {None}
    assert [number for number, key in enumerate(table["keyframe"].to_pylist()) if key] == [0, 10, 20]
    assert set(zip(table["width"].to_pylist(), table["height"].to_pylist(), strict=True)) == {(WIDTH, HEIGHT)}
    for number, shown in enumerate(pixels(video, listed(video), range(25))):
        errors = [np.abs(shown.astype(int) - picture(other)).mean() for other in range(25)]
        assert np.argmin(errors) == number


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("plain.mp4", {}),
        ("open_gop.mp4", {"options": {"x264-params": "open-gop=1:b-pyramid=2"}}),
        ("late.mkv", {"first_pts": 100}),
        ("adjacent.flv", H264_ADJACENT_KEYFRAMES),
        ("no_index.ts", {}),
        ("no_index.mpg", {"codec": "mpeg2video"}),
        ("packed.avi", {"codec": "mpeg4"}),
        ("vp9.webm", {"codec": "libvpx-vp9", "frames": 25, "options": {"deadline": "realtime", "cpu-used": "8"}}),
    ],
)
def test_a_frame_read_alone_is_the_frame_of_a_film_read_through(tmp_path: Path, name: str, how: dict) -> None:
    video = write_video(tmp_path / name, **how)
    table = listed(video)
    count = len(read_table(table, FRAMES))
    through = pixels(video, table, range(count))
    for position in range(count):
        assert np.array_equal(pixels(video, table, [position])[0], through[position])
    for step in (3, 7, 13):
        positions = range(2, count, step)
        for position, frame in zip(positions, pixels(video, table, positions), strict=True):
            assert np.array_equal(frame, through[position])


def test_a_keyframe_is_reached_without_decoding_what_is_before(tmp_path: Path) -> None:
    video = write_video(tmp_path / "film.mkv")
    table = listed(video)
    (wanted,) = pixels(video, table, [25])
    data = bytearray(video.read_bytes())
    middle = slice(len(data) // 4, len(data) // 2)
    data[middle] = bytes(len(data[middle]))
    video.write_bytes(data)
    assert np.array_equal(pixels(video, table, [25])[0], wanted)


def test_without_times_a_video_is_read_by_counting(tmp_path: Path) -> None:
    video = write_video(tmp_path / "film.mp4")
    table = frames(video)
    through = pixels(video, listed(video), range(30))
    times = [None if position == 7 else pts for position, pts in enumerate(table["pts"].to_pylist())]
    columns = {name: table[name] for name in table.column_names} | {"pts": times}
    write_table(tmp_path / "untimed.parquet", FRAMES, columns)
    with pytest.raises(FacesetError, match="frame 8 is not the one that was listed"):
        pixels(video, tmp_path / "untimed.parquet", [29])
    write_table(tmp_path / "untimed.parquet", FRAMES, columns | {"pts": table["pts"]})
    assert np.array_equal(pixels(video, tmp_path / "untimed.parquet", [29])[0], through[29])


def test_a_turned_video_is_seen_as_it_is_shown(tmp_path: Path) -> None:
    video = write_video(tmp_path / "film.mp4", frames=12)
    upright = pixels(video, listed(video), [0, 11])
    turn_quarter_clockwise(video)
    table = frames(video)
    assert set(zip(table["width"].to_pylist(), table["height"].to_pylist(), strict=True)) == {(HEIGHT, WIDTH)}
    for before, after in zip(upright, pixels(video, listed(video), [0, 11]), strict=True):
        assert np.array_equal(after, cv2.rotate(before, cv2.ROTATE_90_CLOCKWISE))


def test_of_a_video_cut_short_what_decodes_is_used(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mkv")
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 3 // 5])
    count = len(frames(cut))
    assert 5 < count < 30
    for ours, theirs in zip(
        pixels(cut, listed(cut), range(count)), pixels(whole, listed(whole), range(count)), strict=True
    ):
        assert np.array_equal(ours, theirs)


def test_a_damaged_video_gives_the_same_pictures_on_any_number_of_cores(tmp_path: Path) -> None:
    video = write_video(tmp_path / "film.mkv")
    data = bytearray(video.read_bytes())
    for place in np.random.default_rng(1).integers(len(data) // 3, len(data) - 300, 12):
        data[place] ^= 0x55
    video.write_bytes(data)
    table = listed(video)
    positions = range(len(read_table(table, FRAMES)))
    cores = os.sched_getaffinity(0)
    on_all = pixels(video, table, positions)
    try:
        os.sched_setaffinity(0, {min(cores)})
        on_one = pixels(video, table, positions)
    finally:
        os.sched_setaffinity(0, cores)
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(on_all, on_one, strict=True))


@pytest.mark.parametrize("method", ["demux", "decode"])
def test_full_memory_ends_the_reading_of_a_video_and_not_the_video(method: str, tmp_path: Path) -> None:
    """FFmpeg says full memory with an error of its own, as it says damage: another reading would find more frames."""

    class Full:
        """What PyAV opens, until memory is full."""

        def __init__(self, container: Any) -> None:
            self.streams, self._packets = container.streams, container.demux(container.streams.video[0])

        def demux(self, _: Any) -> Iterator[Any]:
            yield next(self._packets)
            if method == "demux":
                av.error.err_check(-errno.ENOMEM)
            yield self

        def decode(self) -> list[Any]:
            av.error.err_check(-errno.ENOMEM)
            return []

    with av.open(str(write_video(tmp_path / "film.mkv"))) as container, pytest.raises(MemoryError):
        list(footage.decode(Full(container)))


@pytest.mark.parametrize("content", [b"", b"no film" * 99])
def test_what_is_no_video_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    with pytest.raises(FacesetError, match=r"film\.mp4: cannot be opened as a video"):
        listed(path)


def test_a_video_that_became_another_is_noticed(tmp_path: Path) -> None:
    video = write_video(tmp_path / "film.mp4")
    table = listed(video)
    shutil.move(write_video(tmp_path / "other.mp4", frames=20), video)
    with pytest.raises(FacesetError, match="frame 26 can no longer be decoded"):
        pixels(video, table, [25])
    shutil.move(write_video(tmp_path / "other.mp4", first_pts=100), video)
    with pytest.raises(FacesetError, match="frame 1 is not the one that was listed"):
        pixels(video, table, [25])


def test_a_folder_s_frames_are_its_pictures_by_name(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "photos", ["b.JPG", "a.png", "B.png", "a.b.bmp"])
    (folder / "alignments.fsa").write_bytes(b"")
    (folder / "c.png").mkdir()
    table = frames(folder)
    assert table["name"].to_pylist() == ["B.png", "a.b.bmp", "a.png", "b.JPG"]
    assert table["frame"].to_pylist() == ["B", "a.b", "a", "b"]
    read = pixels(folder, listed(folder), [0, 2])
    assert np.array_equal(read[0], picture(2))
    assert np.array_equal(read[1], picture(1))


def test_two_pictures_that_would_be_one_frame_are_refused(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "photos", ["a.png", "a.bmp"])
    with pytest.raises(FacesetError, match=r"a\.bmp and a\.png would be the same frame, 'a'"):
        listed(folder)


@pytest.mark.parametrize("content", [b"", b"no picture"])
def test_a_broken_picture_is_named(tmp_path: Path, content: bytes) -> None:
    folder = write_pictures(tmp_path / "photos", ["a.png", "b.png"])
    (folder / "b.png").write_bytes(content)
    with pytest.raises(FacesetError, match=r"b\.png: cannot be decoded as a picture"):
        listed(folder)


def test_a_picture_edited_since_it_was_listed_is_noticed(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "photos", ["a.png", "b.png"])
    table = listed(folder)
    cv2.imwrite(str(folder / "b.png"), picture(7))
    assert np.array_equal(pixels(folder, table, [0])[0], picture(0))
    with pytest.raises(FacesetError, match=r"b\.png: changed since the frames were listed"):
        pixels(folder, table, [1])
    (folder / "b.png").unlink()
    with pytest.raises(FacesetError, match=r"b\.png: cannot be read"):
        pixels(folder, table, [1])


def test_a_file_of_another_kind_and_an_empty_folder_are_no_footage(tmp_path: Path) -> None:
    (tmp_path / "film.txt").write_bytes(b"")
    with pytest.raises(FacesetError, match="neither a folder of pictures nor a video"):
        listed(tmp_path / "film.txt")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FacesetError, match="empty: no pictures in it"):
        listed(tmp_path / "empty")


def test_the_signature_tells_every_change_of_files_and_nothing_else(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "photos", ["a.png", "b.png"])
    signatures = [footage_signature(folder)]
    moved = folder.rename(tmp_path / "elsewhere")
    (moved / "notes.txt").write_bytes(b"")
    assert footage_signature(moved) == signatures[0]
    status = (moved / "a.png").stat()
    os.utime(moved / "a.png", ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    signatures.append(footage_signature(moved))
    (moved / "a.png").write_bytes((moved / "a.png").read_bytes() + b"\0")
    os.utime(moved / "a.png", ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    signatures.append(footage_signature(moved))
    (moved / "b.png").rename(moved / "c.png")
    signatures.append(footage_signature(moved))
    (moved / "c.png").unlink()
    signatures.append(footage_signature(moved))
    assert len(set(signatures)) == 5
