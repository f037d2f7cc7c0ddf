"""Settings: the keys of config.yaml, with their kinds, bounds, defaults and meanings. `validation` checks them.

Declared without pydantic, which takes long to import and of which a job has no need: its settings were checked before.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast, get_args, get_origin

Section = TypeVar("Section")


def setting(*, default: Any, **meaning: Any) -> Any:
    """One setting of a section.

    default
        Its value where nobody wrote one.
    meaning
        Its `description`, and what `pydantic.Field` takes as bounds, as `ge`; `path=True` for what is to be a path.
    """
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: dict(default), metadata=meaning)
    return dataclasses.field(default=default, metadata=meaning)


@dataclass(frozen=True)
class Detect:
    """How faces are found in sources that come without alignments."""

    min_face_px: int = setting(
        default=40, ge=20, description="Edge of the smallest face looked for, in pixels of the frame."
    )


@dataclass(frozen=True)
class Identity:
    """Which model tells people apart."""

    model: str = setting(
        default="dlib_resnet_v1", description="An identity model of the model catalogue, config/models.yaml."
    )
    embeddings: Literal["model", "from-alignments"] = setting(
        default="model",
        description="Run the `model`, or take the vectors of its name that the alignments bring "
        "(faceswap's identities) `from-alignments`.",
    )


@dataclass(frozen=True)
class Cluster:
    """When two faces count as one person."""

    strictness: float = setting(
        default=0.5,
        ge=0,
        le=1,
        description="How alike faces of one person must be. Raise it where two people share a cluster, lower it where "
        "one person has several; a tenth makes the distance allowed a tenth smaller or larger.",
    )
    method: Literal["default", "ward"] = setting(
        default="default",
        description="`ward` groups and orders faces as faceswap's sort does, without regard to tracks and frames; "
        "for 20,000 faces at most.",
    )

    @property
    def threshold_scale(self) -> float:
        """What distances allowed are multiplied by: 1 at the middle of strictness, half more at 0, half of it at 1."""
        return 1.5 - self.strictness


@dataclass(frozen=True)
class Filters:
    """What drops a face although its person is wanted."""

    min_size_px: float = setting(default=0, ge=0, description="Smallest edge of a face in the frame, in pixels.")
    min_blur: float = setting(
        default=0, ge=0, description="Least sharpness, as in the column `blur` of measures.parquet."
    )
    max_distance: float | None = setting(
        default=None,
        gt=0,
        description="Largest distance from the mean face, as in the column `distance` of measures.parquet.",
    )


@dataclass(frozen=True)
class Cutting:
    """Which faces are cut, and how large."""

    size_px: int = setting(
        default=512, ge=64, le=4096, multiple_of=2, description="Edge of an extracted picture, in pixels."
    )
    min_size_percent: int = setting(
        default=0,
        ge=0,
        le=200,
        description="Leave out faces smaller than this share of size_px in their frame; 0 keeps all.",
    )
    large: bool = setting(
        default=False, description="Leave out faces that would be enlarged: the same as `min_size_percent: 100`."
    )
    every: int = setting(default=1, ge=1, description="Extract from every Nth frame of each source only.")

    given: tuple[str, ...] = ()
    """Which of its settings somebody wrote."""


@dataclass(frozen=True)
class Extract(Cutting):
    """How training faces are cut."""

    sources: dict[str, Cutting] = setting(
        default={}, description="By source, what is to be otherwise there: any of the settings above."
    )

    def of_source(self, source: str) -> dict[str, int]:
        """What holds for one source: `size_px`, `min_size_percent` and `every`."""
        own = self.sources.get(source, Cutting())
        limit = own if {"min_size_percent", "large"}.intersection(own.given) else self
        return {
            **{name: getattr(own if name in own.given else self, name) for name in ("size_px", "every")},
            "min_size_percent": 100 if limit.large else limit.min_size_percent,
        }


@dataclass(frozen=True)
class Faceset:
    """One training set."""

    sources: list[str] | None = setting(
        default=None, min_length=1, description="Names of the sources it draws on. Empty: all."
    )
    policy: Literal["largest", "all", "none"] = setting(
        default="largest",
        description="What decides where the keep-list has no keep row of a cluster or track: "
        "keep the `largest` cluster (with a `reference`, the nearest to it), `all` faces, or `none`.",
    )
    reference: str | None = setting(
        path=True,
        default=None,
        description="A folder of photos of the wanted person, of each the largest face. The people are ranked by their "
        "distance to it, and the policy `largest` keeps the nearest one instead, if it is near enough.",
    )
    filters: Filters = setting(default=Filters(), description="What drops a face although its person is wanted.")
    extract: Extract = setting(default=Extract(), description="How training faces are cut.")


@dataclass(frozen=True)
class Config:
    """The whole of config.yaml."""

    sources: str = setting(
        path=True, default="config/sources.tsv", description="The table of footage, from the working directory."
    )
    keep_lists: str = setting(
        path=True, default="config/keep", description="Folder of the keep-lists, from the working directory."
    )
    store: str = setting(
        path=True, default="store", description="Folder of the content store; many projects may share one."
    )
    device: Literal["auto", "cpu", "cuda"] = setting(
        default="auto", description="What models run on; `auto` takes CUDA where it works."
    )
    paranoid: bool = setting(
        default=False,
        description="Hash all footage in each run. Otherwise a file is the one that was hashed before while its size, "
        "its time and its inode are.",
    )
    detect: Detect = setting(default=Detect(), description="How faces are found in sources without alignments.")
    identity: Identity = setting(default=Identity(), description="Which model tells people apart.")
    cluster: Cluster = setting(default=Cluster(), description="When two faces count as one person.")
    facesets: dict[str, Faceset] = setting(
        default={"main": Faceset()},
        min_length=1,
        description="The training sets by name. Each has a keep-list of its name.",
    )


def settled(section: type[Section], values: Mapping[str, Any]) -> Section:
    """The section whose values `dataclasses.asdict` gave, all of them checked and complete."""
    kinds = {field.name: field.type for field in dataclasses.fields(cast(Any, section))}
    return section(**{name: _settled_value(kind, values[name]) for name, kind in kinds.items()})


def _settled_value(kind: Any, value: Any) -> Any:
    if dataclasses.is_dataclass(kind):
        return settled(cast(type, kind), value)
    if get_origin(kind) is dict:
        return {name: _settled_value(get_args(kind)[1], part) for name, part in value.items()}
    return value
