"""Filters: the measures that drop a face although its person is wanted. A filter is an entry here, and a setting.

Declared without NumPy, since the `manifest` table is: it lists the names of filters.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FilterRule = Literal["min_size_px", "min_blur", "max_distance"]
"""Which setting of the config, `facesets.{name}.filters`, decided."""


@dataclass(frozen=True)
class Filter:
    """The measure, a column of `measures`, that a setting bounds, and from which side.

    `said` is what a person reads of a face beyond the limit, which is put into the braces, and `said_of_value` what
    follows it of the face's own value.
    """

    measure: str
    bound: Literal["least", "most"]
    said: str
    said_of_value: str = " ({:.4g})"

    def is_beyond(self, values: "npt.NDArray[np.float32]", limit: float) -> "npt.NDArray[np.bool_]":
        """Return whether each of N values, (N,), lies beyond the limit. One that is missing, NaN, does not."""
        return values < limit if self.bound == "least" else values > limit

    def sentence(self, limit: float, value: float | None) -> str:
        """Return why a face was dropped, or all faces beyond the limit if there is no `value`."""
        return self.said.format(limit) + ("" if value is None else self.said_of_value.format(value))


FILTERS: Final[dict[FilterRule, Filter]] = {
    "min_size_px": Filter("size", "least", "smaller than {:.4g} px", " ({:.4g} px)"),
    "min_blur": Filter("blur", "least", "less sharp than {:.4g}"),
    "max_distance": Filter("distance", "most", "further than {:.4g} from the mean face"),
}
"""All filters in the order in which they act: the first that a face is beyond is named as the reason."""
