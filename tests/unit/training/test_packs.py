"""Promises of the memory of cut faces."""

import errno
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from faceset.errors import FacesetError
from faceset.training.packs import FACES_A_PACK, Cuts, MissingCutError
from faceset.training.pixels import FacePixels, pack, pixel_digest


def cut(number: int) -> tuple[bytes, FacePixels]:
    image = np.full((2, 2, 3), number % 256, np.uint8)
    return hashlib.sha256(str(number).encode()).digest(), FacePixels(2, pixel_digest(image), pack(image))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "cuts"


def opened(root: Path, context: str = "context") -> Cuts:
    def set_aside(path: Path) -> Path:
        return path.replace(root.parent / path.name)

    return Cuts(root, context, set_aside)


def packs(root: Path) -> list[Path]:
    return sorted(root.rglob("*.parquet"))


def test_what_was_added_is_there_at_once_and_later_and_in_no_other_context(root: Path) -> None:
    faces = dict(cut(number) for number in range(40))
    cuts = opened(root)
    cuts.add(faces.items())
    for reader in (cuts, opened(root)):
        for key, face in [*faces.items(), *reversed(faces.items())]:
            assert key in reader
            assert reader.pixels(key) == face.digest
            assert reader.read(key) == face
    assert next(iter(faces)) not in opened(root, "another")


def test_faces_are_remembered_pack_by_pack_so_that_a_crash_costs_one(root: Path) -> None:
    def until_killed() -> Iterator[tuple[bytes, FacePixels]]:
        yield from map(cut, range(FACES_A_PACK + 5))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        opened(root).add(until_killed())
    cuts = opened(root)
    assert [cut(number)[0] in cuts for number in (0, FACES_A_PACK - 1, FACES_A_PACK)] == [True, True, False]
    assert [path for path in root.rglob("*") if path.is_file()] == packs(root)


def test_nothing_to_add_writes_nothing(root: Path) -> None:
    opened(root).add([])
    assert not root.exists()


def test_equal_faces_added_twice_are_kept_once(root: Path) -> None:
    for _ in range(2):
        opened(root).add(map(cut, range(3)))
    assert len(packs(root)) == 1


def test_damage_anywhere_in_a_pack_is_met_by_a_reader_and_gives_no_wrong_face(root: Path) -> None:
    faces = dict(cut(number) for number in range(20))
    opened(root).add(faces.items())
    (path,) = packs(root)
    whole = path.read_bytes()
    path.chmod(0o644)
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        cuts = opened(root)
        for key, face in faces.items():
            if key in cuts:
                assert cuts.pixels(key) == face.digest
                try:
                    assert cuts.read(key) == face
                except MissingCutError:
                    assert packs(root) == []


def test_a_pack_that_is_no_table_is_set_aside(root: Path) -> None:
    opened(root).add([cut(1)])
    (path,) = packs(root)
    path.chmod(0o644)
    path.write_bytes(b"nonsense")
    assert cut(1)[0] not in opened(root)
    assert packs(root) == []


@pytest.mark.parametrize("fault", [pa.ArrowMemoryError("full"), OSError(errno.EIO, "the disk fails")], ids=repr)
def test_no_pack_is_set_aside_for_full_memory_or_a_failing_disk(
    fault: Exception, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise fault

    cuts = opened(root)
    cuts.add([cut(1)])
    before = packs(root)
    with monkeypatch.context() as patch:
        patch.setattr(pq.ParquetFile, "__init__", fail)
        with pytest.raises(type(fault)):
            cuts.read(cut(1)[0])
        with pytest.raises(type(fault)):
            opened(root)
    assert packs(root) == before
    assert cuts.read(cut(1)[0]) == cut(1)[1]


def test_a_pack_that_is_gone_is_said_to_be(root: Path) -> None:
    cuts = opened(root)
    cuts.add([cut(1)])
    packs(root)[0].unlink()
    with pytest.raises(MissingCutError):
        cuts.read(cut(1)[0])
    assert cut(2)[0] not in cuts
    with pytest.raises(MissingCutError, match="gone"):
        cuts.read(cut(2)[0])


def test_what_may_not_be_what_its_key_says_is_not_remembered(root: Path) -> None:
    def changed() -> None:
        raise FacesetError("the film was changed")

    cuts = Cuts(root, "context", lambda path: path, changed)
    with pytest.raises(FacesetError, match="the film was changed"):
        cuts.add([cut(1)])
    assert [path for path in root.rglob("*") if path.is_file()] == []
