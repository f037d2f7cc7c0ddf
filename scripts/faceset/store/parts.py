"""The parts of a step's work in the store, each an action of its own."""

from collections.abc import Callable, Mapping
from typing import Any

from faceset.digests import canonical_json, text_digest
from faceset.footage.parts import WHOLE, Outputs, Shard
from faceset.store.objects import Action, Store


class StoredParts:
    """What the store knows of parts of a step's work.

    Parameters
    ----------
    made_from
        All that any part depends on besides its own frames and faces.
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
        made_from: Mapping[str, Any],
        files: Mapping[str, str],
        check: Callable[[], None],
        shard: Shard = WHOLE,
    ) -> None:
        self.shard = shard
        self._store, self._made_from, self._files, self._check = store, made_from, files, check

    def find(self, digest: str) -> Outputs | None:
        """The outputs of the part that `digest` tells from all others, verified, if it was made before."""
        key = text_digest(canonical_json(self._of(digest)))
        action = self._store.find(key)
        if action is None:
            return None
        self._store.mark_used(key)
        return self._outputs(action)

    def make(self, digest: str, work: Callable[[Outputs], str]) -> Outputs:
        """Have `work` write the outputs of a part, and remember them. It returns what models ran on."""
        made_from = self._of(digest)
        with self._store.workspace() as folder:
            paths = {name: folder / file for name, file in self._files.items()}
            ran_on = work(paths)
            self._check()
            action = Action({name: self._store.put(path) for name, path in paths.items()}, ran_on)
            self._store.remember(text_digest(canonical_json(made_from)), action, made_from)
        return self._outputs(action)

    def _of(self, digest: str) -> dict[str, Any]:
        return {**self._made_from, "part": digest}

    def _outputs(self, action: Action) -> Outputs:
        return {name: self._store.get(artifact) for name, artifact in action.outputs.items()}
