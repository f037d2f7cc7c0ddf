"""Crate: what a faceset was made from, by what, and what came out, as a Workflow Run RO-Crate.

The crate is the faceset's folder of results; this writes its `ro-crate-metadata.json`. What went in lies elsewhere, so
it is named by its digest (`ni` URIs, RFC 6920), never by its place. There is no time in it, not even the
`datePublished` that RO-Crate asks for: the same run gives the same bytes, and whoever publishes it adds the date.

Profiles: https://w3id.org/ro/wfrun/process/0.5, https://w3id.org/ro/wfrun/workflow/0.5 and
https://w3id.org/workflowhub/workflow-ro-crate/1.0 over RO-Crate 1.1.
"""

import base64
import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow.compute as pc
from rocrate.model import ContextEntity, DataEntity
from rocrate.rocrate import ROCrate

from faceset.digests import canonical_json, text_digest
from faceset.footage.tables import FRAMES
from faceset.tables.parquet import read_table

ROCRATE_VERSION: Final = "1.1"
PROFILES: Final = (
    "https://w3id.org/ro/wfrun/process/0.5",
    "https://w3id.org/ro/wfrun/workflow/0.5",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
)
# Terms of the workflow-run vocabulary that are not in RO-Crate's own context.
TERMS: Final = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}
FACES: Final = "faces/"


def write_crate(
    made_from: Mapping[str, Any],
    frames: Mapping[str, Path],
    made: Mapping[str, tuple[str, int]],
    snakefile: Path,
    workflow_output: Path,
    output: Path,
) -> None:
    """Write the metadata of a faceset's crate, and the workflow that lies beside it.

    Parameters
    ----------
    made_from
        What the stage `crate` is made from (`Provenance.as_json`): settings, code, models, libraries, the user's files.
    frames
        The sources' `frames` tables, which know the footage by its digests.
    made
        What came out: by path in the faceset's folder, the SHA-256 and the size in bytes.
    snakefile
        The workflow.
    workflow_output, output
        The copy of it, and the metadata.
    """
    shutil.copyfile(snakefile, workflow_output)
    settings = made_from["settings"]
    crate = ROCrate(version=ROCRATE_VERSION)
    crate.metadata.extra_terms.update(TERMS)
    workflow = _add_workflow(crate, made_from, workflow_output)
    files = {name: digest for name, digest in made_from["files"].items() if name != "workflow"}
    given = _add_footage(crate, frames, settings["rights"]) + _add_files(crate, files)
    given += [_add_model(crate, name, model) for name, model in sorted(made_from["models"].items())]
    ((_, clusters),) = made_from["inputs"]["clusters"]
    given.append(_add_given(crate, clusters, "File", name="clusters.parquet", description=_OF_CLUSTERS))
    given += _add_settings(crate, settings["settings"])
    results = [_add_result(crate, path, *what) for path, what in sorted(made.items())]
    faces = crate.add_dataset(dest_path=FACES, properties={"name": "training faces", "description": _OF_FACES})
    action = _add_action(crate, settings["faceset"])
    action["instrument"] = workflow
    action["object"] = given
    action["result"] = [*results, faces]
    crate.root_dataset["mentions"] = action
    _describe(crate, settings["faceset"], settings["rights"])
    output.write_text(_text(crate), encoding="utf-8")


_OF_CLUSTERS: Final = "Who is who, over all footage of the project, this face set's and other."
_OF_FACES: Final = "Copies of the pictures that faceset.parquet lists, each with the digest of its pixels."


def _add_action(crate: ROCrate, faceset: str) -> ContextEntity:
    """The run that made it all."""
    properties = {
        "@type": "CreateAction",
        "name": f"Making the face set {faceset}",
        "actionStatus": {"@id": "http://schema.org/CompletedActionStatus"},
    }
    return crate.add(ContextEntity(crate, "#run", properties=properties))


def _describe(crate: ROCrate, faceset: str, rights: Mapping[str, str]) -> None:
    """Say what the crate is, which profiles it follows, and under what rights: all that the footage is under."""
    for uri in PROFILES:
        name = uri.removeprefix("https://w3id.org/")
        crate.add(ContextEntity(crate, uri, properties={"@type": "CreativeWork", "name": name}))
    root = crate.root_dataset
    root["conformsTo"] = [{"@id": uri} for uri in PROFILES]
    root["name"] = f"Face set {faceset}"
    root["description"] = (
        "Training faces, cleaned alignments and the decisions behind them, made by Faceset from the footage that is "
        "named by its digests."
    )
    root["license"] = "; ".join(sorted({text for text in rights.values() if text})) or "not stated"


def _add_workflow(crate: ROCrate, made_from: Mapping[str, Any], file: Path) -> DataEntity:
    """The workflow: its Snakefile, with the digest of all code that took part and the libraries' versions."""
    workflow = crate.add_workflow(file, file.name, main=True, lang="snakemake", gen_cwl=False)
    workflow["name"] = "Faceset"
    workflow["sha256"] = made_from["files"]["workflow"]
    workflow["version"] = text_digest(canonical_json(made_from["settings"]["code"]))
    workflow["description"] = "The version is the SHA-256 of the digests of all code that the results depend on."
    workflow["softwareRequirements"] = [
        crate.add(
            ContextEntity(
                crate,
                f"#library-{name}",
                properties={"@type": "SoftwareApplication", "name": name, "version": version},
            )
        )
        for name, version in sorted(made_from["libraries"].items())
    ]
    return workflow


def _add_footage(crate: ROCrate, frames: Mapping[str, Path], rights: Mapping[str, str]) -> list[DataEntity]:
    """Each source's footage: a video by its digest, a folder by that of its pictures' `digest  name` lines."""
    sources_of: dict[tuple[str, str], list[str]] = {}
    for source, path in frames.items():
        sources_of.setdefault(_footage_digest(path), []).append(source)
    return [
        _add_given(
            crate,
            digest,
            kind,
            name=f"footage of {', '.join(sources)}",
            conditionsOfAccess="; ".join(sorted({rights[source] for source in sources if rights[source]})),
        )
        for (kind, digest), sources in sorted(sources_of.items())
    ]


def _footage_digest(frames: Path) -> tuple[str, str]:
    table = read_table(frames, FRAMES, ["name", "digest", "pts"])
    digests = pc.unique(table["digest"]).to_pylist()
    if table.num_rows and table["pts"].null_count == 0:  # a video
        return "File", str(digests[0])
    lines = sorted(zip(table["digest"].to_pylist(), table["name"].to_pylist(), strict=True), key=lambda line: line[1])
    text = "".join(f"{digest}  {name}\n" for digest, name in lines)
    return "Dataset", hashlib.sha256(text.encode()).hexdigest()


def _add_files(crate: ROCrate, files: Mapping[str, str]) -> list[DataEntity]:
    """The user's own files: alignments and the keep-list."""
    names: dict[str, list[str]] = {}
    for name, digest in sorted(files.items()):
        names.setdefault(digest, []).append(name.replace("_", "-"))
    return [_add_given(crate, digest, "File", name=", ".join(of)) for digest, of in sorted(names.items())]


def _add_model(crate: ROCrate, name: str, model: Mapping[str, Any]) -> DataEntity:
    return _add_given(crate, model["sha256"], "File", name=f"model {name}", description=canonical_json(dict(model)))


def _add_given(crate: ROCrate, digest: str, kind: str, **properties: str) -> DataEntity:
    filled = {name: value for name, value in properties.items() if value}
    entity = DataEntity(crate, _uri(digest), properties={"@type": kind, "sha256": digest, **filled})
    return crate.add(entity)


def _add_settings(crate: ROCrate, settings: Mapping[str, Any]) -> list[ContextEntity]:
    return [
        crate.add(
            ContextEntity(
                crate,
                f"#setting-{name}",
                properties={"@type": "PropertyValue", "name": name, "value": canonical_json(value)},
            )
        )
        for name, value in sorted(settings.items())
    ]


def _add_result(crate: ROCrate, path: str, digest: str, size: int) -> DataEntity:
    properties = {"name": path, "sha256": digest, "contentSize": str(size)}
    return crate.add_file(dest_path=path, properties=properties)


def _uri(digest: str) -> str:
    """The `ni` URI of a SHA-256 in hexadecimal."""
    text = base64.urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip("=")
    return f"ni:///sha-256;{text}"


def _text(crate: ROCrate) -> str:
    """The metadata in one spelling: entities by id, keys sorted, and no time."""
    crate.root_dataset.pop("datePublished", None)
    content = crate.metadata.generate()
    content["@graph"] = sorted((_ordered(entity) for entity in content["@graph"]), key=lambda entity: entity["@id"])
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _ordered(entity: Mapping[str, Any]) -> dict[str, Any]:
    """An entity with its lists of references sorted."""
    return {
        name: sorted(value, key=canonical_json) if isinstance(value, list) and name != "@type" else value
        for name, value in entity.items()
    }
