"""What a pickle held, made plain: arrays in the place of their stand-ins and of runs, within bounds."""

from typing import Any, Final

import numpy as np

from faceset.alignments.pickles.numbers import RefusedError, StandInArray
from faceset.alignments.pickles.runs import Run

_NUMBERS: Final = frozenset({int, float, bool, type(None)})
_DEEPEST: Final = 12


class Flattener:
    """Puts arrays in the place of their stand-ins and of runs, and counts what the whole would hold written out."""

    def __init__(self, allowance: int) -> None:
        self._left = allowance

    def flat(self, value: Any, depth: int = 0) -> Any:
        """Return `value` with arrays in their places; lists and dicts are changed in place."""
        kind = type(value)
        if kind in _NUMBERS:
            return value
        if depth > _DEEPEST:
            raise RefusedError(f"containers nested more than {_DEEPEST} deep")
        if kind is dict:
            self._count(len(value))
            for key, entry in value.items():
                if type(entry) not in _NUMBERS:
                    value[key] = self.flat(entry, depth + 1)
            return value
        if kind is list:
            return self._flat_list(value, depth)
        if kind is tuple:
            self._count(len(value))
            return tuple([self.flat(entry, depth + 1) for entry in value])
        if kind in (str, bytes, bytearray):
            self._count(len(value))
            return value
        if kind is StandInArray and value.array is not None:
            value = value.array
            kind = np.ndarray
        if kind is np.ndarray:
            self._count(value.nbytes)
            return value
        raise RefusedError(f"an object of the type {kind.__name__.lstrip('_')!r}")

    def _flat_list(self, value: list[Any], depth: int) -> Any:
        kinds = set(map(type, value))
        if kinds <= _NUMBERS:
            self._count(len(value))
            return value
        if Run not in kinds:
            self._count(len(value))
            value[:] = [self.flat(entry, depth + 1) for entry in value]
            return value
        self._count(sum(run.values.size for run in value if type(run) is Run))
        if kinds == {Run} and len({(run.values.dtype, run.values.ndim) for run in value}) == 1:
            return value[0].values if len(value) == 1 else np.concatenate([run.values for run in value])
        # Not numbers alone, after all: as plain entries.
        entries = (run.values.tolist() if type(run) is Run else [run] for run in value)
        return [self.flat(entry, depth + 1) for run in entries for entry in run]

    def _count(self, items: int) -> None:
        self._left -= items
        if self._left < 0:
            raise RefusedError("the same lists repeated so often that the whole does not fit into memory")
