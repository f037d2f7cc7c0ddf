"""The parts of an instance's work in the store, each an action of its own.

Jobs of their own, the shards, may make shares of the parts beforehand. They change no result's bytes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from faceset.store.actions import Action, Instance, Provenance
from faceset.store.objects import Store

SHARD_NAME: Final = r"\d+-of-\d+"
"""What the name of a shard matches."""

Outputs = Mapping[str, Path]
Part = TypeVar("Part")


@dataclass(frozen=True)
class Shard:
    """A share of an instance's parts, `number` of `count`, from 1; or all of them."""

    number: int
    count: int

    @classmethod
    def named(cls, name: str) -> "Shard":
        """The shard of a name as `str` gives it, like 2-of-7, which matches SHARD_NAME."""
        number, _, count = name.partition("-of-")
        return cls(int(number), int(count))

    def __str__(self) -> str:
        return f"{self.number}-of-{self.count}"

    def is_whole(self, parts: Sequence[Part]) -> bool:
        """Whether to work as if there were no parts: the job that wants the whole does, where there is a single one."""
        return self.count == 1 and len(parts) < 2

    def of(self, parts: Sequence[Part]) -> Sequence[Part]:
        """Its share. Work of a single part is left to the job that wants the whole."""
        if self.count > 1 and len(parts) < 2:
            return []
        return parts[(self.number - 1) * len(parts) // self.count : self.number * len(parts) // self.count]


WHOLE: Final = Shard(1, 1)


class StoredParts:
    """What the store knows of parts of an instance's work, a `faceset.footage.parts.Parts`.

    Parameters
    ----------
    provenance
        That of the whole work.
    instance
        What the stage runs for.
    files
        The outputs of a part: name, and file name.
    check
        Called before a part is remembered; raises what it likes if it may not be what was asked for.
    shard
        Which of the parts are wanted.
    """

    def __init__(
        self,
        store: Store,
        provenance: Provenance,
        instance: Instance,
        files: Mapping[str, str],
        check: Callable[[], None],
        shard: Shard = WHOLE,
    ) -> None:
        self._store, self._provenance, self._instance = store, provenance, instance
        self._files, self._check, self._shard = files, check, shard

    def is_whole(self, parts: Sequence[Part]) -> bool:
        """Whether to work as if there were no parts."""
        return self._shard.is_whole(parts)

    def share(self, parts: Sequence[Part]) -> Sequence[Part]:
        """Those of the parts that are wanted."""
        return self._shard.of(parts)

    def find(self, digest: str) -> Outputs | None:
        """The outputs of the part that `digest` tells from all others, verified, if it was made before."""
        key = self._provenance.of_part(digest).key
        action = self._store.find(key)
        if action is None:
            return None
        self._store.note_use(key, self._instance)
        return self._outputs(action)

    def make(self, digest: str, work: Callable[[Outputs], str]) -> Outputs:
        """Have `work` write the outputs of a part, and remember them. It returns what models ran on."""
        with self._store.workspace() as folder:
            paths = {name: folder / file for name, file in self._files.items()}
            ran_on = work(paths)
            self._check()
            action = Action({name: self._store.put(path) for name, path in paths.items()}, ran_on)
            self._store.remember(action, self._provenance.of_part(digest), self._instance)
        return self._outputs(action)

    def _outputs(self, action: Action) -> Outputs:
        return {name: self._store.get(artifact) for name, artifact in action.outputs.items()}
