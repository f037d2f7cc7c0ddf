"""The stages of the pipeline, declared once: what each reads, makes and depends on.

The rules take their inputs and outputs from here, jobs and priming their keys; so they can not drift apart.
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faceset.code_digest import code_digests
from faceset.digests import file_digest
from faceset.footage.parts import Shard
from faceset.project.project import DETECTION_MODELS, REPOSITORY, Project
from faceset.stages.settings import (
    Where,
    alignments_file,
    clean_params,
    cluster_params,
    crate_files,
    crate_params,
    embed_params,
    embeds_chips,
    footage_params,
    has_reference,
    identity_models,
    is_detected,
    keep_list_file,
    manifest_params,
    models_used,
    report_params,
)

CUT_LIBRARIES = ("av", "deflate", "numpy", "opencv-python")


def _no_params(project: Project, where: Where) -> dict[str, Any]:  # noqa: ARG001
    return {}


def _no_files(project: Project, where: Where) -> dict[str, Path]:  # noqa: ARG001
    return {}


def _no_models(project: Project) -> tuple[str, ...]:  # noqa: ARG001
    return ()


def _never(project: Project) -> bool:  # noqa: ARG001
    return False


def _always(project: Project, where: Where) -> bool:  # noqa: ARG001
    return True


@dataclass(frozen=True)
class Stage:
    """One stage.

    folder
        Where its results lie, a pattern of the wildcards it runs for.
    makes
        Its outputs: name and plain file name.
    reads
        What it reads of other stages: name, and `stage.output`. If the other stage runs for wildcards that this one
        does not have, it reads all its instances.
    module
        The library module that does the work; with all it imports, it is the code that the result depends on.
    libraries
        Packages whose version can change the result's bytes.
    params, files, models
        What else the result depends on: settings, the user's own files, models by name.
    copies
        Outputs whose plain name is a real file: a browser goes by the name of what a link leads to.
    footage
        Whether it reads the footage itself, by the `frames` table.
    in_parts
        In which projects its work is done in parts, which shards may share.
    reads_if
        For a name in `reads`: in which projects only.
    runs_if
        Which of its instances there are; stages that would read the others do without them.
    """

    name: str
    folder: str
    makes: dict[str, str]
    module: str
    reads: dict[str, str] = field(default_factory=dict)
    libraries: tuple[str, ...] = ()
    params: Callable[[Project, Where], dict[str, Any]] = _no_params
    files: Callable[[Project, Where], dict[str, Path]] = _no_files
    models: Callable[[Project], tuple[str, ...]] = _no_models
    reads_if: dict[str, Callable[[Project], bool]] = field(default_factory=dict)
    runs_if: Callable[[Project, Where], bool] = _always
    copies: tuple[str, ...] = ()
    footage: bool = False
    in_parts: Callable[[Project], bool] = _never
    gpu: bool = False

    @property
    def record(self) -> str:
        """Pattern of the record's path."""
        return f"{self.folder}/{self.name}.json"

    @property
    def links(self) -> dict[str, str]:
        """Patterns of the plain names that lead to the outputs, or of the copies of them."""
        return {name: f"{self.folder}/{file}" for name, file in self.makes.items()}

    @property
    def shard(self) -> str:
        """Pattern of the path of the mark that one of its shards is made; the wildcard `shard` is its name."""
        return f"{self.folder}/{self.name}.shard-{{shard}}"

    def shards_of(self, project: Project, where: Where) -> list[str]:
        """The marks of the shards that make the parts of this instance beforehand, if there are several."""
        count = project.sources[where["source"]].shards if self.in_parts(project) else 1
        names = [str(Shard(number, count)) for number in range(1, count + 1)]
        return [self.shard.format(**where, shard=name) for name in names] if count > 1 else []

    @property
    def benchmark(self) -> str:
        """Pattern of the path of its rule's benchmark."""
        return f"logs/benchmarks/{self.name}/{'/'.join(f'{{{name}}}' for name in self.wildcards) or 'all'}.tsv"

    @property
    def code(self) -> dict[str, str]:
        """The SHA-256 of all code that its result depends on."""
        return {**code_digests(self.module), "script": _script_digest(self.name)}

    @property
    def wildcards(self) -> tuple[str, ...]:
        """The wildcards it runs for: some of `faceset` and `source`."""
        return tuple(name for name in ("faceset", "source") if f"{{{name}}}" in self.folder)

    def instances(self, project: Project) -> Iterator[Where]:
        """Every instance of the stage in the project, in a fixed order."""
        yield from _instances(project, self, {})

    def reads_of(self, project: Project, where: Where) -> dict[str, list[tuple["Stage", Where, str]]]:
        """By name, which instances of other stages this one reads, and which of their outputs."""
        found: dict[str, list[tuple[Stage, Where, str]]] = {}
        for name, what in self.reads.items():
            other_name, _, output = what.partition(".")
            other = STAGES[other_name]
            wanted = name not in self.reads_if or self.reads_if[name](project)
            if wanted and (instances := list(_instances(project, other, where))):
                found[name] = [(other, instance, output) for instance in instances]
        return found

    def record_inputs(self, project: Project, where: Where) -> list[str]:
        """The records and files of the user's that must be there before this instance can run."""
        records = [
            other.record.format(**instance)
            for reads in self.reads_of(project, where).values()
            for other, instance, _ in reads
        ]
        return [*dict.fromkeys(records), *(str(path) for path in self.files(project, where).values())]


def _instances(project: Project, stage: Stage, fixed: Where) -> Iterator[Where]:
    facesets = [fixed["faceset"]] if "faceset" in fixed else list(project.config.facesets)
    for faceset in facesets if "faceset" in stage.wildcards else [fixed.get("faceset")]:
        of_faceset = project.faceset_sources(faceset) if faceset else list(project.sources)
        sources = [fixed["source"]] if "source" in fixed else of_faceset
        for source in sources if "source" in stage.wildcards else [None]:
            pairs = {"faceset": faceset, "source": source}
            where = {name: value for name in stage.wildcards if (value := pairs[name]) is not None}
            if stage.runs_if(project, where):
                yield where


@functools.cache
def _script_digest(stage: str) -> str:
    return file_digest(REPOSITORY / "scripts" / f"{stage}.py")


def _crate_params(project: Project, where: Where) -> dict[str, Any]:
    code = {stage.name: stage.code for stage in STAGES.values() if stage.name not in ("crate", "report")}
    return {**crate_params(project, where), "code": code}


PER_SOURCE = "results/{source}"
PER_FACESET = "results/facesets/{faceset}"
PER_FACESET_SOURCE = "results/facesets/{faceset}/{source}"

STAGES = {
    stage.name: stage
    for stage in (  # each reads only what stands above it
        Stage(
            name="frames",
            footage=True,
            folder=PER_SOURCE,
            makes={"frames": "frames.parquet"},
            module="faceset.footage.frames",
            libraries=("av", "numpy", "opencv-python", "pyarrow"),
            params=footage_params,
        ),
        Stage(
            name="detect",
            footage=True,
            folder=PER_SOURCE,
            makes={"detected": "detected.msgpack"},
            module="faceset.models.footage_faces",
            reads={"frames": "frames.frames"},
            libraries=("av", "msgpack", "numpy", "onnxruntime", "opencv-python", "pyarrow", "zlib"),
            params=lambda project, where: project.config.detect.model_dump(),  # noqa: ARG005
            models=lambda project: DETECTION_MODELS,  # noqa: ARG005
            runs_if=is_detected,
            in_parts=lambda project: True,  # noqa: ARG005
            gpu=True,
        ),
        Stage(
            name="ingest",
            folder=PER_SOURCE,
            makes={"faces": "faces.parquet", "alignments": "alignments.msgpack", "problems": "problems.parquet"},
            module="faceset.alignments.ingest",
            reads={"frames": "frames.frames", "detected": "detect.detected"},
            libraries=("msgpack", "numpy", "opencv-python", "pyarrow", "zlib"),
            params=lambda project, where: {"source": where["source"]},  # noqa: ARG005
            files=alignments_file,
        ),
        Stage(
            name="crop",
            footage=True,
            folder=PER_SOURCE,
            makes={"chips": "chips.parquet", "measures": "measures.parquet"},
            module="faceset.crops.chips",
            reads={"frames": "frames.frames", "faces": "ingest.faces"},
            in_parts=lambda project: True,  # noqa: ARG005
            libraries=("av", "numpy", "opencv-python", "pyarrow"),
        ),
        Stage(
            name="embed",
            folder=PER_SOURCE,
            makes={"embeddings": "embeddings.parquet"},
            module="faceset.models.chip_embeddings",
            reads={"faces": "ingest.faces", "chips": "crop.chips", "alignments": "ingest.alignments"},
            reads_if={
                "chips": embeds_chips,
                "alignments": lambda project: project.takes_embeddings_from_alignments,
            },
            libraries=("msgpack", "numpy", "onnxruntime", "opencv-python", "pyarrow", "scipy"),
            params=embed_params,
            models=identity_models,
            in_parts=embeds_chips,
            gpu=True,
        ),
        Stage(
            name="track",
            folder=PER_SOURCE,
            makes={"tracks": "tracks.parquet"},
            module="faceset.people.tracks",
            reads={"faces": "ingest.faces", "embeddings": "embed.embeddings"},
            libraries=("numpy", "pyarrow", "scipy"),
            params=lambda project, where: {"threshold": project.identity.threshold},  # noqa: ARG005,
        ),
        Stage(
            name="cluster",
            folder="results",
            makes={name: f"{name}.parquet" for name in ("clusters", "pairs", "doubts", "steps")},
            module="faceset.people.clusters",
            reads={
                "faces": "ingest.faces",
                "measures": "crop.measures",
                "embeddings": "embed.embeddings",
                "tracks": "track.tracks",
            },
            libraries=("faiss-cpu", "numpy", "pandas", "pyarrow", "scipy"),
            params=cluster_params,
        ),
        Stage(
            name="reference",
            folder=PER_FACESET,
            makes={"reference": "reference.parquet"},
            module="faceset.models.reference",
            libraries=("av", "numpy", "onnxruntime", "opencv-python", "pyarrow", "scipy"),
            params=lambda project, where: project.config.detect.model_dump(),  # noqa: ARG005
            files=lambda project, where: project.reference_photos(where["faceset"]),
            models=lambda project: (*DETECTION_MODELS, project.config.identity.model),
            runs_if=has_reference,
            gpu=True,
        ),
        Stage(
            name="nearness",
            folder=PER_FACESET,
            makes={"nearness": "nearness.parquet"},
            module="faceset.people.nearness",
            reads={
                "reference": "reference.reference",
                "clusters": "cluster.clusters",
                "embeddings": "embed.embeddings",
            },
            libraries=("numpy", "pandas", "pyarrow", "scipy"),
            params=lambda project, where: {"threshold": project.identity.threshold},  # noqa: ARG005
            runs_if=has_reference,
        ),
        Stage(
            name="manifest",
            folder=PER_FACESET,
            makes={"manifest": "manifest.parquet", "notices": "notices.parquet"},
            module="faceset.decisions.manifest",
            reads={
                "faces": "ingest.faces",
                "measures": "crop.measures",
                "tracks": "track.tracks",
                "clusters": "cluster.clusters",
                "nearness": "nearness.nearness",
            },
            libraries=("numpy", "pandas", "pyarrow"),
            params=manifest_params,
            files=keep_list_file,
        ),
        Stage(
            name="clean",
            folder=PER_FACESET_SOURCE,
            makes={"fsa": "alignments.fsa", "alignments": "alignments.msgpack", "kept": "kept.parquet"},
            module="faceset.training.cleaned",
            reads={"alignments": "ingest.alignments", "frames": "frames.frames", "manifest": "manifest.manifest"},
            libraries=("msgpack", "numpy", "pyarrow", "zlib"),
            params=clean_params,
        ),
        Stage(
            name="extract",
            footage=True,
            folder=PER_FACESET_SOURCE,
            makes={"extracted": "extracted.parquet"},
            module="faceset.training.extraction",
            reads={
                "frames": "frames.frames",
                "faces": "ingest.faces",
                "measures": "crop.measures",
                "alignments": "clean.alignments",
                "kept": "clean.kept",
            },
            libraries=("msgpack", "pyarrow", *CUT_LIBRARIES),
            params=lambda project, where: project.faceset(where["faceset"]).extract.of_source(where["source"]),
        ),
        Stage(
            name="assemble",
            folder=PER_FACESET,
            makes={"faceset": "faceset.parquet"},
            module="faceset.training.assembly",
            reads={
                "extracted": "extract.extracted",
                "alignments": "clean.alignments",
                "manifest": "manifest.manifest",
            },
            libraries=("pyarrow",),
        ),
        Stage(
            name="crate",
            folder=PER_FACESET,
            makes={"crate": "ro-crate-metadata.json", "workflow": "workflow.smk"},
            module="faceset.training.crate",
            reads={
                "frames": "frames.frames",
                "clusters": "cluster.clusters",
                "manifest": "manifest.manifest",
                "notices": "manifest.notices",
                "fsa": "clean.fsa",
                "alignments": "clean.alignments",
                "kept": "clean.kept",
                "extracted": "extract.extracted",
                "faceset": "assemble.faceset",
            },
            libraries=(
                "av",
                "deflate",
                "msgpack",
                "numpy",
                "onnxruntime",
                "opencv-python",
                "pandas",
                "pyarrow",
                "rocrate",
                "scipy",
                "zlib",
            ),
            params=_crate_params,
            files=crate_files,
            models=models_used,
        ),
        Stage(
            name="report",
            folder="results",
            makes={"report": "report.html"},
            copies=("report",),
            module="faceset.report.page",
            reads={
                "frames": "frames.frames",
                "faces": "ingest.faces",
                "problems": "ingest.problems",
                "chips": "crop.chips",
                "measures": "crop.measures",
                "tracks": "track.tracks",
                "clusters": "cluster.clusters",
                "pairs": "cluster.pairs",
                "doubts": "cluster.doubts",
                "steps": "cluster.steps",
                "nearness": "nearness.nearness",
                "manifest": "manifest.manifest",
                "notices": "manifest.notices",
            },
            libraries=("Jinja2", "MarkupSafe", "numpy", "opencv-python", "pyarrow"),
            params=report_params,
        ),
    )
}
