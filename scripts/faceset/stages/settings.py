"""What stages depend on besides each other: settings, the user's own files, models; and which of them run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from faceset.footage.files import content_digest, is_video
from faceset.project.project import DETECTION_MODELS, REPOSITORY, Project

Where = Mapping[str, str]
"""Which instance of a stage: the values of its wildcards `source` and `faceset`, as far as it has them."""


class NotMadeYetError(Exception):
    """Something that a step reads is yet to be made."""


def is_detected(project: Project, where: Where) -> bool:
    """Whether the source brings no alignments, so that its faces are to be found."""
    return project.sources[where["source"]].alignments is None


def has_reference(project: Project, where: Where) -> bool:
    """Whether the faceset has photos of the wanted person."""
    return project.faceset(where["faceset"]).reference is not None


def footage_params(project: Project, where: Where) -> dict[str, Any]:
    """What the footage of a source holds, whatever it is called.

    Raises NotMadeYetError if some of it was not read before.
    """
    source = project.sources[where["source"]]
    digests = project.footage_digests(source).known()
    if digests is None:  # its job hashes it
        raise NotMadeYetError
    return {"content": content_digest(digests, is_video(source.frames))}


def clean_params(project: Project, where: Where) -> dict[str, Any]:
    """What the cleaned alignments of a source name: itself, and its video."""
    footage = project.sources[where["source"]].frames
    return {"source": where["source"], "video": footage.name if is_video(footage) else None}


def alignments_file(project: Project, where: Where) -> dict[str, Path]:
    """The alignments that the source brings, if any."""
    path = project.sources[where["source"]].alignments
    return {"alignments": path} if path else {}


def keep_list_file(project: Project, where: Where) -> dict[str, Path]:
    """The faceset's keep-list, if there is one."""
    path = project.keep_list(where["faceset"])
    return {"keep_list": path} if path.is_file() else {}


def manifest_params(project: Project, where: Where) -> dict[str, Any]:
    """What decides about faces besides the keep-list."""
    faceset = project.faceset(where["faceset"])
    return {"policy": faceset.policy, "filters": faceset.filters.model_dump()}


def embeds_chips(project: Project) -> bool:
    """Whether embeddings are computed here, not taken from the alignments."""
    return not project.takes_embeddings_from_alignments


def embed_params(project: Project, where: Where) -> dict[str, Any]:
    """Which identity is taken from the alignments, and how many numbers it has, if it is."""
    if not project.takes_embeddings_from_alignments:
        return {}
    kind = project.identity
    return {
        "source": where["source"],
        "name": project.config.identity.model,
        "dimensions": kind.dimensions,
        "metric": kind.metric,
    }


def identity_models(project: Project) -> tuple[str, ...]:
    """The model that embeddings are computed with, if they are."""
    return () if project.takes_embeddings_from_alignments else (project.config.identity.model,)


def cluster_params(project: Project, where: Where) -> dict[str, Any]:  # noqa: ARG001
    """When faces count as one person."""
    return {
        "threshold": project.identity.threshold,
        "duplicates": sorted(name for name, source in project.sources.items() if source.duplicates),
        "method": project.config.cluster.method,
        "looseness": project.config.cluster.looseness,
    }


def report_params(project: Project, where: Where) -> dict[str, Any]:  # noqa: ARG001
    """What the report says of the settings."""
    return {
        "model": project.config.identity.model,
        "threshold": project.identity.threshold * project.config.cluster.looseness,
        "strictness": project.config.cluster.strictness,
        "method": project.config.cluster.method,
        "rights": {name: source.rights for name, source in project.sources.items()},
        "facesets": {name: project.faceset_sources(name) for name in project.config.facesets},
    }


def crate_params(project: Project, where: Where) -> dict[str, Any]:
    """What the crate says of the settings; the code of the stages comes beside it."""
    faceset = project.faceset(where["faceset"])
    sources = project.faceset_sources(where["faceset"])
    return {
        "faceset": where["faceset"],
        "settings": {
            "detect": project.config.detect.model_dump(),
            "identity": project.config.identity.model_dump(),
            "cluster": cluster_params(project, where),
            "policy": faceset.policy,
            "filters": faceset.filters.model_dump(),
            "extract": {name: faceset.extract.of_source(name) for name in sources},
        },
        "rights": {name: project.sources[name].rights for name in sources},
    }


def crate_files(project: Project, where: Where) -> dict[str, Path]:
    """All files of the user's that the faceset was made from, but for footage, and the workflow."""
    given = {
        f"alignments of {name}": path
        for name in project.faceset_sources(where["faceset"])
        for path in alignments_file(project, {"source": name}).values()
    }
    return {"workflow": REPOSITORY / "Snakefile", **keep_list_file(project, where), **given}


def models_used(project: Project) -> tuple[str, ...]:
    """The models of all stages."""
    detects = any(is_detected(project, {"source": name}) for name in project.sources)
    return (*identity_models(project), *(DETECTION_MODELS if detects else ()))
