"""The picture « Ma spirale »: where each turn of one pupil in one competence stands. Pure geometry, in SVG units.

Three floors, one per complexity; inside each the levels 1 to 4 and a dotted line at the target. The turns are tiles,
equally spaced from left to right, and one thread climbs through them. Two drawings are made, so that text keeps its
size on a phone and on a screen; the stylesheet shows one. `_spiral.html` turns the values into SVG.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

TARGET = 3
TILE_WIDTH, TILE_HEIGHT = 34, 22
MARK = 16  # a speciality's shape, under its tile
MARK_GAP = 2
DATE_ROOM = 40  # the longest short date, « 14 janv. », at 11 px
TOP = 6  # room for a tile's edge above the first floor
FOOT = 24  # the dates, under the axis
REACH = 44  # what a finger can hit: as wide as neighbours let it be


@dataclass(frozen=True)
class Turn:
    level: int
    complexity: int
    date_text: str
    specialities: Sequence[str]
    href: str | None = None


@dataclass(frozen=True)
class Mark:
    """A speciality's shape; x and y are its upper left corner."""

    speciality: str
    x: float
    y: float
    size: float


@dataclass(frozen=True)
class Tile:
    """A turn; x and y are its centre. `date_shown`: there is room for its date under the axis.

    `reach`: how wide what answers to a finger is, around the centre.
    """

    turn: Turn
    x: float
    y: float
    marks: list[Mark]
    date_shown: bool
    reach: float = TILE_WIDTH

    @property
    def left(self) -> float:
        return self.x - TILE_WIDTH / 2

    @property
    def top(self) -> float:
        return self.y - TILE_HEIGHT / 2


@dataclass(frozen=True)
class Floor:
    """One complexity, `levels` from 4 down to 1 with the height of each. Every other floor is shaded."""

    complexity: int
    top: float
    height: float
    shaded: bool
    target_y: float
    levels: list[tuple[int, float]]


@dataclass(frozen=True)
class Drawing:
    """`thread` is the path's `d`, empty without a turn; `earlier` counts the turns there is no room for."""

    kind: str
    width: int
    height: float
    left: float
    right: float
    axis_y: float
    floors: list[Floor]
    tiles: list[Tile]
    thread: str
    earlier: int


@dataclass(frozen=True)
class Picture:
    phone: Drawing
    wide: Drawing
    linked: bool


@dataclass(frozen=True)
class _Frame:
    """What differs between the two drawings: turns stand between left and right."""

    kind: str
    width: int
    floor: float
    left: float
    right: float


_PHONE = _Frame("phone", width=366, floor=92, left=66, right=348)
_WIDE = _Frame("wide", width=600, floor=96, left=84, right=582)


def draw_spiral(turns: Sequence[Turn]) -> Picture:
    """The picture of `turns`, the oldest first. A drawing without room for all shows the latest."""
    return Picture(_draw(turns, _PHONE), _draw(turns, _WIDE), linked=any(turn.href for turn in turns))


def _draw(turns: Sequence[Turn], frame: _Frame) -> Drawing:
    room = int((frame.right - frame.left) // (TILE_WIDTH + 1))
    shown = turns[-room:]
    floors = [_floor(complexity, frame) for complexity in (3, 2, 1)]
    tiles = _tiles(shown, floors, frame)
    axis_y = TOP + 3 * frame.floor
    return Drawing(
        kind=frame.kind,
        width=frame.width,
        height=axis_y + FOOT,
        left=frame.left,
        right=frame.right,
        axis_y=axis_y,
        floors=floors,
        tiles=tiles,
        thread=_thread(tiles, frame),
        earlier=len(turns) - len(shown),
    )


def _floor(complexity: int, frame: _Frame) -> Floor:
    top = TOP + (3 - complexity) * frame.floor
    step = (frame.floor - 38) / 3  # 14 above level 4, 24 under level 1
    levels = [(level, round(top + 14 + (4 - level) * step, 1)) for level in (4, 3, 2, 1)]
    return Floor(
        complexity=complexity,
        top=top,
        height=frame.floor,
        shaded=complexity != 2,
        target_y=dict(levels)[TARGET],
        levels=levels,
    )


def _tiles(turns: Sequence[Turn], floors: list[Floor], frame: _Frame) -> list[Tile]:
    if not turns:
        return []
    step = (frame.right - frame.left) / len(turns)
    every = ceil(DATE_ROOM / step)
    heights = {(floor.complexity, level): y for floor in floors for level, y in floor.levels}
    tiles = []
    for i, turn in enumerate(turns):
        x = round(frame.left + (i + 0.5) * step, 1)
        y = heights[turn.complexity, turn.level]
        date_shown = (len(turns) - 1 - i) % every == 0  # counted from the last, whose date is always there
        tiles.append(Tile(turn, x, y, _marks(turn, x, y, step), date_shown, min(REACH, int(step))))
    return tiles


def _marks(turn: Turn, x: float, y: float, step: float) -> list[Mark]:
    """Under the tile, or above it at level 1 so as to stay on its floor; smaller when neighbours are close."""
    count = len(turn.specialities)
    if not count:
        return []
    gaps = (count - 1) * MARK_GAP
    size = min(MARK, (step - 1 - gaps) / count)
    left = x - (count * size + gaps) / 2
    distance = TILE_HEIGHT / 2 + MARK_GAP
    top = y - distance - size if turn.level == 1 else y + distance
    return [
        Mark(speciality, round(left + i * (size + MARK_GAP), 1), round(top, 1), round(size, 1))
        for i, speciality in enumerate(turn.specialities)
    ]


def _thread(tiles: list[Tile], frame: _Frame) -> str:
    """It comes from the left, a little lower, then goes from centre to centre, flat where it meets a tile."""
    if not tiles:
        return ""
    first = tiles[0]
    middle = (frame.left + first.x) / 2
    path = [
        f"M{frame.left:.1f} {first.y + 9:.1f}",
        f"Q{middle:.1f} {first.y + 8:.1f} {first.x:.1f} {first.y:.1f}",
    ]
    for before, after in zip(tiles, tiles[1:], strict=False):
        middle = (before.x + after.x) / 2
        path.append(f"C{middle:.1f} {before.y:.1f} {middle:.1f} {after.y:.1f} {after.x:.1f} {after.y:.1f}")
    return " ".join(path)
