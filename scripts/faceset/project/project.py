"""A working directory's project: its settings, sources, keep-lists and models, checked and ready to plan with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faceset.errors import FacesetError
from faceset.footage.files import FootageDigests, list_pictures
from faceset.models.catalogue import (
    EmbeddingKind,
    IdentityEntry,
    Model,
    identity_entry,
    load_manifest,
    load_stored_identities,
    stored_identity,
)
from faceset.project.config import Config, Faceset, load_config
from faceset.project.sources import Source, check_name, read_sources
from faceset.store.objects import Store

REPOSITORY = Path(__file__).resolve().parents[3]
MODELS_FOLDER = REPOSITORY / "models"
MODEL_MANIFEST = REPOSITORY / "config" / "models.yaml"
DETECTION_MODELS = ("mtcnn_pnet", "mtcnn_rnet", "mtcnn_onet", "mediapipe_mesh")
KEEP_FOLDER = Path("config/keep")


@dataclass(frozen=True)
class Project:
    """Everything that planning needs to know. Paths are relative to the working directory."""

    config: Config
    sources: dict[str, Source]
    models: dict[str, Model]
    stored_identities: dict[str, EmbeddingKind] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        """The content store that the config names."""
        return Store(Path(self.config.store).expanduser())

    def footage_digests(self, source: Source) -> FootageDigests:
        """What is known of the bytes of a source's footage."""
        return FootageDigests(self.store.footage, source.frames)

    def faceset_sources(self, faceset: str) -> list[str]:
        """The names of the sources that a faceset draws on, in the order of sources.tsv."""
        chosen = self.config.facesets[faceset].sources
        return [name for name in self.sources if chosen is None or name in chosen]

    def keep_list(self, faceset: str) -> Path:
        """Where the faceset's keep-list is, whether or not there is one yet."""
        return KEEP_FOLDER / f"{faceset}.tsv"

    def reference_photos(self, faceset: str) -> dict[str, Path]:
        """The photos of the person that a faceset wants, by name; none where it has no reference.

        Raises FacesetError where there is no such folder, or no picture in it.
        """
        reference = self.config.facesets[faceset].reference
        if reference is None:
            return {}
        folder = Path(reference).expanduser()
        if not folder.is_dir():
            raise FacesetError(
                f"config.yaml: facesets.{faceset}.reference is {reference!r}, and there is no such folder."
            )
        return {path.name: path for path in list_pictures(folder)}

    @property
    def identity(self) -> EmbeddingKind:
        """What tells people apart: a model, or embeddings that the alignments bring."""
        name = self.config.identity.model
        if self.takes_embeddings_from_alignments:
            return stored_identity(self.models, self.stored_identities, name)
        return identity_entry(self.models, name)

    @property
    def takes_embeddings_from_alignments(self) -> bool:
        """Whether no model is run, but what the alignments bring is taken."""
        return self.config.identity.embeddings == "from-alignments"

    def faceset(self, name: str) -> Faceset:
        """The settings of one faceset."""
        return self.config.facesets[name]


def load_project(values: Mapping[str, Any]) -> Project:
    """The project in the current folder, from config.yaml as read.

    Raises FacesetError for the first thing in the config, the sources or the models that can not be right.
    """
    config = load_config(values)
    sources = {source.name: source for source in read_sources(Path(config.sources).expanduser())}
    models = load_manifest(MODEL_MANIFEST)
    for name, faceset in config.facesets.items():
        check_name(name, "config.yaml", "faceset")
        for key, named in (("sources", faceset.sources or []), ("extract.sources", faceset.extract.sources)):
            for source in named:
                if source not in sources:
                    raise FacesetError(
                        f"config.yaml: facesets.{name}.{key} names {source!r}, which is not in {config.sources}; "
                        f"there are: {', '.join(sources)}."
                    )
    for name in DETECTION_MODELS:
        if name not in models:
            raise FacesetError(f"{MODEL_MANIFEST}: there is no model {name}, which detection needs.")
    project = Project(config, sources, models, load_stored_identities(MODEL_MANIFEST))
    project.identity  # noqa: B018 (it raises where there is none)
    for name in config.facesets:
        if project.reference_photos(name) and not isinstance(models.get(config.identity.model), IdentityEntry):
            raise FacesetError(
                f"config.yaml: facesets.{name}.reference needs a model that embeds its photos, and {MODEL_MANIFEST} "
                f"has none called {config.identity.model!r}."
            )
    return project
