"""How tracks become people."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from faceset.arrays import Bool, Float64, Int64
from faceset.models.embeddings import Metric, comparable_vectors, squared_limit
from faceset.people.linkage import join_near
from faceset.people.partition import Groups
from faceset.people.stragglers import join_stragglers

# A threshold is made for pairs; the members of two groups are to be nearer than that on average, or among many
# strangers some are taken for one person. Measured by `benchmarks.calibration`.
LINKAGE_SHARE = 0.88
# A poor face that stands out as one person's may be a little further than the threshold. Measured there too.
STRAGGLER_SHARE = 1.1
# The order of groups, not who is in them, hangs on this.
NEIGHBOURS_IN_ORDER = 6


@dataclass(frozen=True)
class Grouping:
    """Of T tracks: which are one person, and where in an order that puts similar ones side by side.

    `labels` and `order` are (T,); groups lie together in the order. `split_share` (G,), by group in the order of the
    labels, is the share of the group's scatter that parting it in two explains, 0 to 1, and `in_part` (T,) tells who is
    in the one of the two parts.

    What another strictness would change: `looser_labels` (G,) are the same for groups that would be one, and `parted`
    (G,) tells which would come apart into parts of more than FEW_ITEMS.
    """

    labels: Int64
    order: Int64
    split_share: Float64
    in_part: Bool
    looser_labels: Int64
    parted: Bool


def group_tracks(
    vectors: npt.NDArray[np.floating],
    cannot_link: Int64,
    metric: Metric,
    threshold: float,
    threshold_change: float = 0,
) -> Grouping:
    """Group T tracks into people, never putting two that cannot link into one group.

    By average linkage up to LINKAGE_SHARE of the threshold; then small groups left alone join the one that stands out
    as theirs, up to STRAGGLER_SHARE of it.

    Parameters
    ----------
    vectors
        (T, D) mean embeddings.
    cannot_link
        (P, 2) pairs of tracks that are surely two people.
    metric, threshold
        Of the identity model, or a looser or stricter one.
    threshold_change
        How much larger and smaller the thresholds are whose effect is foretold. Groups that would be one are found by
        joining on; those that would come apart by the joins that made them.
    """
    groups = Groups(comparable_vectors(vectors, metric), cannot_link)
    del vectors  # as many numbers again as the groups hold
    _join(groups, metric, threshold)
    labels = groups.labels()
    leaders, numbers = np.unique(labels, return_inverse=True)
    splits = groups.splits(leaders)
    parted = splits.loosest > squared_limit(metric, (threshold - threshold_change) * LINKAGE_SHARE)
    if threshold_change:
        _join(groups, metric, threshold + threshold_change)
    looser_labels = groups.labels()[leaders]
    groups.forget_cannot_link()
    join_near(groups, np.inf, NEIGHBOURS_IN_ORDER)
    order = groups.order()
    in_part = (order >= order[splits.first][numbers]) & (order <= order[splits.last][numbers])
    return Grouping(labels, order, splits.share, in_part, looser_labels, parted)


def _join(groups: Groups, metric: Metric, threshold: float) -> None:
    join_near(groups, squared_limit(metric, threshold * LINKAGE_SHARE))
    join_stragglers(groups, squared_limit(metric, threshold * STRAGGLER_SHARE))


def simultaneous_tracks(frames: pd.Series, tracks: Int64) -> Int64:
    """The (P, 2) pairs of tracks that have faces in one frame, the lower number first, without repeats.

    `frames` names the frame of each face, `tracks` numbers its track.
    """
    table = pd.DataFrame({"frame": frames.to_numpy(), "track": tracks})
    shared = table[table.duplicated("frame", keep=False)]
    pairs = shared.merge(shared, on="frame", suffixes=("", "_other"))
    pairs = pairs[pairs["track"] < pairs["track_other"]][["track", "track_other"]].drop_duplicates()
    return pairs.to_numpy(np.int64).reshape(-1, 2)
