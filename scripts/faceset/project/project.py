"""A working directory's project: its settings, sources, keep-lists and models, checked and ready to plan with."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faceset.errors import FacesetError
from faceset.footage.digests import FootageDigests
from faceset.footage.files import list_pictures
from faceset.hints import hint
from faceset.project.catalogue import Catalogue
from faceset.project.config import Config, Faceset
from faceset.project.paths import user_path
from faceset.project.sources import Source, check_name, read_sources
from faceset.store.objects import Store

if TYPE_CHECKING:
    from faceset.models.catalogue import EmbeddingKind, Model

REPOSITORY = Path(__file__).resolve().parents[3]
MODELS_FOLDER = REPOSITORY / "models"
PACKAGE_CACHE = REPOSITORY / ".cache" / "packages"
MODEL_CATALOGUE = REPOSITORY / "config" / "models.yaml"
DETECTION_MODELS = ("mtcnn_pnet", "mtcnn_rnet", "mtcnn_onet", "mediapipe_mesh")


@dataclass(frozen=True)
class Project:
    """Everything that planning needs to know. Paths are relative to the working directory.

    `prefix` is what stands before the paths of all results and logs, with its slash; a workflow that imports this one
    as a module may have set it.
    """

    config: Config
    sources: dict[str, Source]
    catalogue: Catalogue
    prefix: str = ""

    @property
    def models(self) -> "Mapping[str, Model]":
        """The models of the catalogue, by name."""
        return self.catalogue.models

    def path(self, result: str) -> Path:
        """Where a result or log lies, of its path in a project without a prefix."""
        return Path(f"{self.prefix}{result}")

    @property
    def store(self) -> Store:
        """The content store that the config names."""
        return Store(user_path(self.config.store))

    def footage_digests(self, source: Source) -> FootageDigests:
        """What is known of the bytes of a source's footage."""
        return FootageDigests(self.store.footage, source.frames)

    def faceset_sources(self, faceset: str) -> list[str]:
        """The names of the sources that a faceset draws on, in the order of sources.tsv."""
        chosen = self.config.facesets[faceset].sources
        return [name for name in self.sources if chosen is None or name in chosen]

    @property
    def keep_folder(self) -> Path:
        """The folder of the keep-lists."""
        return user_path(self.config.keep_lists)

    def keep_list(self, faceset: str) -> Path:
        """Where the faceset's keep-list is, whether or not there is one yet."""
        return self.keep_folder / f"{faceset}.tsv"

    def existing_keep_list(self, faceset: str) -> Path | None:
        """The faceset's keep-list; None if there is none yet.

        Raises FacesetError for something in its place, or its folder's, that is none: decisions would be passed over.
        """
        path = self.keep_list(faceset)
        if path.is_file():
            return path
        if os.path.lexists(path):
            raise FacesetError(
                f"{path}: not a file, and the keep-list of the faceset {faceset} belongs there. Move it away."
            )
        if os.path.lexists(self.keep_folder) and not self.keep_folder.is_dir():
            raise FacesetError(
                f"config.yaml: keep_lists is {self.config.keep_lists!r}, which is not a folder. Name the folder that "
                "holds the keep-lists."
            )
        return None

    def reference_photos(self, faceset: str) -> dict[str, Path]:
        """The photos of the person that a faceset wants, by name; none where it has no reference.

        Raises FacesetError where there is no such folder, or no picture in it.
        """
        reference = self.config.facesets[faceset].reference
        if reference is None:
            return {}
        folder = user_path(reference)
        if not folder.is_dir():
            raise FacesetError(
                f"config.yaml: facesets.{faceset}.reference is {reference!r}, and there is no such folder."
            )
        return {path.name: path for path in list_pictures(folder)}

    @property
    def identity(self) -> "EmbeddingKind":
        """What tells people apart: a model, or embeddings that the alignments bring."""
        from faceset.models.catalogue import identity_entry, stored_identity

        name = self.config.identity.model
        if self.takes_embeddings_from_alignments:
            return stored_identity(self.models, self.catalogue.stored_identities, name)
        return identity_entry(self.models, name)

    @property
    def takes_embeddings_from_alignments(self) -> bool:
        """Whether no model is run, but what the alignments bring is taken."""
        return self.config.identity.embeddings == "from-alignments"

    @property
    def identity_models(self) -> tuple[str, ...]:
        """The model that embeddings are computed with, if they are."""
        return () if self.takes_embeddings_from_alignments else (self.config.identity.model,)

    def faceset(self, name: str) -> Faceset:
        """The settings of one faceset."""
        return self.config.facesets[name]


def prefix_of(path: str, result: str) -> str:
    """The prefix with which a rule's output is at `path`, and would be at `result` without one.

    Raises FacesetError where a workflow that imports this one gave the output another place.
    """
    if not path.endswith(result):
        raise FacesetError(
            f"{path}: expected {result}, after a prefix at most. Import Faceset with `prefix:`, and leave the outputs "
            "of its rules as they are."
        )
    return path.removesuffix(result)


def load_project(values: Mapping[str, Any], prefix: str = "", check: bool = True) -> Project:
    """The project in the current folder, from config.yaml as read.

    With `check`, everything that it names is looked for; a job looks for what it needs when it needs it.

    Raises FacesetError for the first thing in the config, the sources or the models that cannot be right.
    """
    from faceset.project.validation import load_config  # here, since a job's settings are checked already

    project = project_of(load_config(values), prefix)
    if check:
        _check(project)
    return project


def project_of(config: Config, prefix: str = "") -> Project:
    """The project in the current folder, of settings that were checked.

    Raises FacesetError for the first thing in the sources or in what settings say of them that cannot be right.
    """
    sources = {source.name: source for source in read_sources(user_path(config.sources))}
    for name, faceset in config.facesets.items():
        check_name(name, "config.yaml", "faceset")
        for key, named in (("sources", faceset.sources or []), ("extract.sources", faceset.extract.sources)):
            for source in named:
                if source not in sources:
                    raise FacesetError(
                        f"config.yaml: facesets.{name}.{key} names {source!r}, which is not in {config.sources}; "
                        f"{hint(source, sources)}"
                    )
    return Project(config, sources, Catalogue(MODEL_CATALOGUE), prefix)


def _check(project: Project) -> None:
    """Raise FacesetError for the first thing that the project names and that is not there."""
    from faceset.models.catalogue import IdentityEntry

    for source in project.sources.values():
        source.check()
    for name in DETECTION_MODELS:
        if name not in project.models:
            raise FacesetError(
                f"{MODEL_CATALOGUE}: there is no model {name}, which detection needs; {hint(name, project.models)}"
            )
    project.identity  # noqa: B018 (it raises where there is none)
    for name in project.config.facesets:
        project.existing_keep_list(name)  # raises where something else is in its place
        model = project.models.get(project.config.identity.model)
        if project.reference_photos(name) and not isinstance(model, IdentityEntry):
            raise FacesetError(
                f"config.yaml: facesets.{name}.reference needs a model that embeds its photos, and {MODEL_CATALOGUE} "
                f"has none called {project.config.identity.model!r}."
            )
