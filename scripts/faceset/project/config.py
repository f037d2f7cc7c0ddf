"""The project's settings: what config.yaml may say, and what holds where it is silent."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from faceset.errors import FacesetError
from faceset.hints import hint


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_means_default(cls, values: Any) -> Any:
        """In YAML a key with nothing behind it has the value None."""
        if isinstance(values, dict):
            return {key: value for key, value in values.items() if value is not None}
        return {} if values is None else values


class Detect(_Section):
    """How faces are found in sources that come without alignments."""

    min_face_px: int = Field(
        default=40, ge=20, description="Edge of the smallest face looked for, in pixels of the frame."
    )


class Identity(_Section):
    """Which model tells people apart."""

    model: str = Field(
        default="dlib_resnet_v1", description="An identity model of the model manifest, config/models.yaml."
    )
    embeddings: Literal["model", "from-alignments"] = Field(
        default="model",
        description="Run the `model`, or take the vectors of its name that the alignments bring "
        "(faceswap's identities) `from-alignments`.",
    )


class Cluster(_Section):
    """When two faces count as one person."""

    strictness: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="How alike faces of one person must be. Raise it where two people share a cluster, lower it where "
        "one person has several; a tenth makes the distance allowed a tenth smaller or larger.",
    )
    method: Literal["default", "ward"] = Field(
        default="default",
        description="`ward` groups and orders faces as faceswap's sort does, without regard to tracks and frames; "
        "for 20,000 faces at most.",
    )

    @property
    def threshold_scale(self) -> float:
        """What distances allowed are multiplied by: 1 at the middle of strictness, half more at 0, half of it at 1."""
        return 1.5 - self.strictness


class Filters(_Section):
    """What drops a face although its person is wanted."""

    min_size_px: float = Field(default=0, ge=0, description="Smallest edge of a face in the frame, in pixels.")
    min_blur: float = Field(
        default=0, ge=0, description="Least sharpness, as in the column `blur` of measures.parquet."
    )
    max_distance: float | None = Field(
        default=None,
        gt=0,
        description="Largest distance from the mean face, as in the column `distance` of measures.parquet.",
    )


class Cutting(_Section):
    """Which faces are cut, and how large."""

    size_px: int = Field(
        default=512, ge=64, le=4096, multiple_of=2, description="Edge of an extracted picture, in pixels."
    )
    min_size_percent: int = Field(
        default=0,
        ge=0,
        le=200,
        description="Leave out faces smaller than this share of size_px in their frame; 0 keeps all.",
    )
    large: bool = Field(
        default=False, description="Leave out faces that would be enlarged: the same as `min_size_percent: 100`."
    )
    every: int = Field(default=1, ge=1, description="Extract from every Nth frame of each source only.")

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if self.large and "min_size_percent" in self.model_fields_set:
            raise ValueError("`large: true` stands for `min_size_percent: 100`; write one of the two")
        return self


class Extract(Cutting):
    """How training faces are cut."""

    sources: dict[str, Cutting] = Field(
        default={}, description="By source, what is to be otherwise there: any of the settings above."
    )

    def of_source(self, source: str) -> dict[str, int]:
        """What holds for one source: `size_px`, `min_size_percent` and `every`."""
        own = self.sources.get(source, Cutting())
        limit = own if own.model_fields_set & {"min_size_percent", "large"} else self
        return {
            **{name: getattr(own if name in own.model_fields_set else self, name) for name in ("size_px", "every")},
            "min_size_percent": 100 if limit.large else limit.min_size_percent,
        }


class Faceset(_Section):
    """One training set."""

    sources: list[str] | None = Field(
        default=None, min_length=1, description="Names of the sources it draws on. Empty: all."
    )
    policy: Literal["largest", "all", "none"] = Field(
        default="largest",
        description="What decides where the keep-list has no keep row of a cluster or track: "
        "keep the `largest` cluster (with a `reference`, the nearest to it), `all` faces, or `none`.",
    )
    reference: str | None = Field(
        default=None,
        description="A folder of photos of the wanted person, of each the largest face. The people are ranked by their "
        "distance to it, and the policy `largest` keeps the nearest one instead, if it is near enough.",
    )
    filters: Filters = Field(default=Filters(), description="What drops a face although its person is wanted.")
    extract: Extract = Field(default=Extract(), description="How training faces are cut.")


class Config(_Section):
    """The whole of config.yaml."""

    sources: str = Field(default="config/sources.tsv", description="The table of footage, from the working directory.")
    keep_lists: str = Field(default="config/keep", description="Folder of the keep-lists, from the working directory.")
    store: str = Field(default="store", description="Folder of the content store; many projects may share one.")
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="What models run on; `auto` takes CUDA where it works."
    )
    paranoid: bool = Field(
        default=False,
        description="Hash all footage in each run. Otherwise a file is the one that was hashed before while its size, "
        "its time and its inode are.",
    )
    detect: Detect = Field(default=Detect(), description="How faces are found in sources without alignments.")
    identity: Identity = Field(default=Identity(), description="Which model tells people apart.")
    cluster: Cluster = Field(default=Cluster(), description="When two faces count as one person.")
    facesets: dict[str, Faceset] = Field(
        default={"main": Faceset()},
        min_length=1,
        description="The training sets by name. Each has a keep-list of its name.",
    )


def check_yaml(path: Path) -> None:
    """Raise FacesetError, with the place, if there is a file at `path` that is no YAML mapping."""
    import yaml  # here, since jobs get their settings from Snakemake

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise FacesetError(f"{path}: can not be read as YAML: {error}") from error
    if not isinstance(content, dict | None):
        raise FacesetError(f"{path}: expected keys and values, as `sources: config/sources.tsv`.")


def load_config(values: Mapping[str, Any]) -> Config:
    """The settings in `values` (config.yaml as read), checked, with defaults filled in.

    Raises FacesetError naming the key, what was expected and, for an unknown key, the nearest known one.
    """
    try:
        return Config.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        location = [str(part) for part in first["loc"]]
        if first["type"] == "extra_forbidden":
            said = hint(location[-1], _known_keys(location[:-1]))
            raise FacesetError(f"config.yaml: unknown key {'.'.join(location)}; {said}") from error
        raise FacesetError(
            f"config.yaml: {'.'.join(location)} is {first['input']!r}: {first['msg'][:1].lower()}{first['msg'][1:]}."
        ) from error


def _known_keys(path: list[str]) -> list[str]:
    section: type[BaseModel] = Config
    parts = iter(path)
    for part in parts:
        annotation = section.model_fields[part].annotation
        kinds = [kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type)]
        section = next(kind for kind in kinds if issubclass(kind, BaseModel))
        if section is not annotation:  # a mapping: what follows is a name of the user's
            next(parts, None)
    return list(section.model_fields)
