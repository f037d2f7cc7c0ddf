"""The model catalogue of a project: read when something of it is asked for, as most jobs run no model."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faceset.models.catalogue import EmbeddingKind, Model


@dataclass(frozen=True)
class Catalogue:
    """A file of models, at `path`."""

    path: Path

    @functools.cached_property
    def models(self) -> "dict[str, Model]":
        """The models by name, in the order of the file; raises what `load_catalogue` does."""
        from faceset.models.catalogue import load_catalogue

        return load_catalogue(self.path)

    @functools.cached_property
    def stored_identities(self) -> "dict[str, EmbeddingKind]":
        """The kinds of embeddings that alignments may bring; raises what `load_stored_identities` does."""
        from faceset.models.catalogue import load_stored_identities

        return load_stored_identities(self.path)
