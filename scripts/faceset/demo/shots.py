"""The demo's shot list: which picture is seen, how the camera moves over it, for how many frames."""

from typing import NamedTuple


class View(NamedTuple):
    """Where the camera looks, counted from the middle of the picture's face in widths of that face.

    `across` is what the pane spans from its left to its right: at 5 the face is a fifth of the pane wide. A positive
    tilt turns the picture clockwise.
    """

    right: float
    down: float
    across: float
    tilt_deg: float = 0.0


class Pane(NamedTuple):
    """A picture under a camera that moves evenly from one view to another. A film plays from its frame `first`."""

    picture: str
    start: View
    end: View
    first: int = 0


class Shot(NamedTuple):
    """Frames without a cut, of one pane or of several side by side.

    The blur (standard deviation in px) and the brightness (a factor) run from their first value to their second.
    """

    frames: int
    panes: tuple[Pane, ...]
    blur_px: tuple[float, float] = (0.0, 0.0)
    gain: tuple[float, float] = (1.0, 1.0)


SHUTTLE = Pane("collins", View(2.0, 0.9, 1.8), View(1.95, -0.2, 2.0))
CURTAIN = Pane("obama", View(1.02, -0.4, 0.68), View(1.02, 0.3, 0.66))
CHANDELIER = Pane("obama3", View(-1.9, -0.6, 1.8), View(-1.95, 0.1, 1.7))

INTERVIEW = (
    Shot(30, (Pane("obama", View(0, 0.3, 6, -2), View(0.1, 0.1, 4.2, 2)),)),
    Shot(28, (Pane("collins", View(-0.8, 0.1, 5.4), View(0.6, 0.2, 4.6, 3)),)),
    Shot(40, (Pane("carphone", View(0.2, 0.3, 4.4), View(-0.3, 0.2, 4.2, -3)),)),
    Shot(
        32,
        (
            Pane("obama", View(-0.1, 0.3, 3.2), View(0.2, 0.3, 2.7, -3)),
            Pane("biden", View(0.2, 0.2, 2.8, 2), View(-0.2, 0.3, 3.1)),
        ),
    ),
    Shot(14, (SHUTTLE,)),
    Shot(26, (Pane("biden", View(0.7, 0.4, 6), View(-0.5, 0.2, 4.6, -4)),), blur_px=(3.0, 0.0)),
    Shot(
        28,
        (
            Pane("carphone", View(0, 0.2, 3.0), View(0.1, 0.3, 2.6), first=60),
            Pane("collins", View(0.3, 0, 2.8), View(0.2, 0.1, 2.5)),
        ),
    ),
    Shot(24, (Pane("obama2", View(-0.4, 0.3, 5), View(0.3, 0.2, 4.2, 3)),), gain=(0.8, 1.1)),
    Shot(18, (Pane("obama3", View(0.5, 0.3, 5), View(-0.3, 0.3, 4.6)),), blur_px=(0.0, 5.0)),
)

PORTRAITS = (
    *(
        Shot(8, (Pane(name, start, end),), gain=gain)
        for name in ("obama", "obama2", "obama3", "biden", "collins")
        for start, end, gain in (
            (View(-1.2, 0.5, 8, 5), View(-0.6, 0.2, 5.5), (1.15, 0.95)),
            (View(0.8, 0.1, 4.6, -6), View(0.2, 0.3, 6.6, 2), (0.75, 1.0)),
        )
    ),
    *(
        Shot(12, (Pane("carphone", View(0.4, 0.5, across), View(-0.2, 0.2, across - 1, tilt), first),), gain=(0.9, 1.1))
        for first, across, tilt in ((40, 7, 3), (55, 6, -5), (80, 5.5, 4), (100, 8, -3))
    ),
    Shot(8, (CURTAIN,)),
    Shot(
        16,
        (
            Pane("biden", View(0.3, 0.5, 4.5), View(0, 0.2, 3, 6)),
            Pane("carphone", View(-0.2, 0.1, 3.6), View(0.3, 0.4, 2.6), 90),
        ),
    ),
    Shot(8, (CHANDELIER,)),
    Shot(
        16,
        (
            Pane("collins", View(-0.3, 0.4, 3.6, 4), View(0.2, 0.1, 2.6)),
            Pane("obama3", View(0, 0.2, 3.4), View(0.1, 0.4, 2.6, -3)),
        ),
        gain=(1.1, 0.85),
    ),
    Shot(24, (Pane("biden", View(1, 0.6, 7.5, -5), View(-0.6, 0.3, 4.3, 3)),), blur_px=(1.5, 0.0)),
)
