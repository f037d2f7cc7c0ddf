"""Actions: what was made, from what, and for which instances.

An action's file is one line of canonical JSON:

    {"kind": "action", "made_from": {...}, "outputs": {name: {"sha256": ..., "size": ...}}, "ran_on": text,
     "instances": [{wildcard: value, ...}, ...], "digest": ...}

`digest` is the SHA-256 of all the rest, so that no damage goes unseen. The key is the SHA-256 of `made_from`, so that
the file proves what it is of. What it ran on and for which instances is no part of the key: another instance that
would be made from the same has the same action.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from faceset.digests import canonical_json, text_digest

KIND: Final = "action"
Instance = Mapping[str, str]


@dataclass(frozen=True)
class Artifact:
    """What one output of a stage is: its digest, and its size in bytes."""

    sha256: str
    size: int

    def as_json(self) -> dict[str, Any]:
        """The form in which records and actions hold it."""
        return {"sha256": self.sha256, "size": self.size}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Artifact":
        """Read what `as_json` wrote; raises ValueError, KeyError or TypeError on anything else."""
        if not re.fullmatch("[0-9a-f]{64}", value["sha256"]):
            raise ValueError(f"{value['sha256']!r} is no SHA-256")
        if type(value["size"]) is not int or value["size"] < 0:
            raise ValueError(f"{value['size']!r} is no size in bytes")
        return cls(value["sha256"], value["size"])


@dataclass(frozen=True)
class Provenance:
    """All that a result depends on; where things are, and how many cores run, is no part of it.

    stage, outputs
        The name of the stage, and the names of its outputs, sorted.
    settings
        The stage's settings.
    inputs
        By name, the artifacts read: the instance of the stage that made each, and its SHA-256.
    files
        The SHA-256 of each of the user's own files, by what it is to the stage.
    code, schemas, libraries
        Digests of code, data files and schemas of tables by name, and versions of packages.
    models
        The catalogue's entries of the models, as far as they tell in what comes out.
    part
        Of a part of the work: what tells it from all others.
    """

    stage: str
    outputs: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, tuple[tuple[Instance, str], ...]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    schemas: Mapping[str, str] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, Any] = field(default_factory=dict)
    part: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Everything, under its name; `kind` tells it from all else that is hashed."""
        return {
            "kind": "provenance",
            "stage": self.stage,
            "outputs": list(self.outputs),
            "settings": dict(self.settings),
            "inputs": {name: [[dict(of), sha256] for of, sha256 in read] for name, read in self.inputs.items()},
            "files": dict(self.files),
            "code": dict(self.code),
            "schemas": dict(self.schemas),
            "libraries": dict(self.libraries),
            "models": dict(self.models),
            "part": self.part,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Provenance":
        """Read what `as_json` gave; raises ValueError, KeyError, TypeError or AttributeError on anything else."""
        if value["kind"] != "provenance":
            raise ValueError("it is no provenance")
        own = {name: value[name] for name in cls.__dataclass_fields__}
        inputs = {
            name: tuple((_instance(of), str(sha256)) for of, sha256 in read) for name, read in own["inputs"].items()
        }
        return cls(**{**own, "outputs": tuple(own["outputs"]), "inputs": inputs})

    @property
    def key(self) -> str:
        """Its SHA-256."""
        return text_digest(canonical_json(self.as_json()))

    def of_part(self, part: str) -> "Provenance":
        """That of a part of the work, which depends on the same, but on its own share alone of what is read."""
        return replace(self, inputs={}, files={}, part=part)


@dataclass(frozen=True)
class Action:
    """What an action made: its outputs by name, and what it ran on (for people; not part of any key)."""

    outputs: dict[str, Artifact]
    ran_on: str

    def as_json(self) -> dict[str, Any]:
        """The form in which records and the store's actions hold it."""
        outputs = {name: artifact.as_json() for name, artifact in self.outputs.items()}
        return {"outputs": outputs, "ran_on": self.ran_on}

    def to_bytes(self) -> bytes:
        """Canonical JSON, one line: what a record holds."""
        return (canonical_json(self.as_json()) + "\n").encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Action":
        """Read what `to_bytes` wrote; raises ValueError, KeyError, TypeError or AttributeError on anything else."""
        return cls._from_json(json.loads(data))

    @classmethod
    def _from_json(cls, value: dict[str, Any]) -> "Action":
        return cls({name: Artifact.from_json(entry) for name, entry in value["outputs"].items()}, str(value["ran_on"]))


class DamagedActionError(Exception):
    """What is in an action's file is not what was written there."""


@dataclass(frozen=True)
class StoredAction:
    """An action as its file holds it: what it made, from what, and for which instances it was made or used."""

    action: Action
    provenance: Provenance
    instances: tuple[Instance, ...]

    def to_bytes(self) -> bytes:
        """The file's bytes."""
        instances = sorted((dict(instance) for instance in self.instances), key=canonical_json)
        made_from = self.provenance.as_json()
        value = {"kind": KIND, "made_from": made_from, **self.action.as_json(), "instances": instances}
        return (canonical_json({**value, "digest": text_digest(canonical_json(value))}) + "\n").encode()

    @classmethod
    def proven(cls, key: str, data: bytes) -> "StoredAction":
        """The action in the bytes of its file.

        Raises DamagedActionError if they are not what was written for this key.
        """
        try:
            value = json.loads(data)
            if value.pop("digest") != text_digest(canonical_json(value)):
                raise ValueError("it is not what was written")
            if value["kind"] != KIND or text_digest(canonical_json(value["made_from"])) != key:
                raise ValueError("it is of another key")
            if sorted(value["outputs"]) != value["made_from"]["outputs"]:
                raise ValueError("it has other outputs than its stage")
            return cls(
                Action._from_json(value),
                Provenance.from_json(value["made_from"]),
                tuple(_instance(instance) for instance in value["instances"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DamagedActionError(str(error)) from error

    def of(self, instance: Instance) -> "StoredAction":
        """The same, with one more instance."""
        return self if instance in self.instances else replace(self, instances=(*self.instances, instance))


def _instance(value: Any) -> dict[str, str]:
    if not (isinstance(value, dict) and all(isinstance(one, str) for pair in value.items() for one in pair)):
        raise TypeError("no instance of a stage")
    return value
