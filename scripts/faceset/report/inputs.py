"""What the report is made from: the tables of a project, its settings, and why its footage may be used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ReportSettings:
    """What the page says of how people were told apart.

    `threshold` is up to which distance faces count as one person for the identity `model`; the others are settings of
    clustering.
    """

    model: str
    threshold: float
    strictness: float
    method: str


@dataclass(frozen=True)
class SourceTables:
    """The tables of one source, and why its footage may be used; empty where nobody said."""

    rights: str
    frames: Path
    faces: Path
    problems: Path
    chips: Path
    measures: Path
    tracks: Path


@dataclass(frozen=True)
class FacesetTables:
    """The tables of one faceset, and the sources that it draws on; `nearness` only if it has a reference."""

    sources: Sequence[str]
    manifest: Path
    notices: Path
    nearness: Path | None = None


@dataclass(frozen=True)
class ReportInputs:
    """The tables of a whole project, those of sources and facesets by their names."""

    sources: Mapping[str, SourceTables]
    facesets: Mapping[str, FacesetTables]
    clusters: Path
    merge_candidates: Path
    split_candidates: Path
    strictness_changes: Path

    @property
    def faces(self) -> dict[str, Path]:
        """The `faces` tables by source."""
        return {name: tables.faces for name, tables in self.sources.items()}

    @property
    def chips(self) -> dict[str, Path]:
        """The `chips` tables by source."""
        return {name: tables.chips for name, tables in self.sources.items()}

    @property
    def measures(self) -> dict[str, Path]:
        """The `measures` tables by source."""
        return {name: tables.measures for name, tables in self.sources.items()}

    @property
    def tracks(self) -> dict[str, Path]:
        """The `tracks` tables by source."""
        return {name: tables.tracks for name, tables in self.sources.items()}

    @property
    def manifests(self) -> dict[str, Path]:
        """The `manifest` tables by faceset."""
        return {name: tables.manifest for name, tables in self.facesets.items()}

    @property
    def nearness(self) -> dict[str, Path]:
        """The `nearness` tables by faceset, of those that have a reference."""
        return {name: tables.nearness for name, tables in self.facesets.items() if tables.nearness is not None}
