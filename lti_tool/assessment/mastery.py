"""What the observations of one competence add up to: a level at a complexity, and why.

Pure: no database, no clock, no network. The rule *spirale* (docs/mastery.md):

- A turn is one level seen in one activity, with the date of the work and its complexity (1 simple, 2 varied,
  3 complex). Turns of the same day and complexity are averaged into one.
- The value at complexity *c* runs through the turns by date: a turn *x* at *c* gives v ← 0.65 x + 0.35 v (the first
  one v ← x). A turn above *c* counts at *c* only where it raises v (and, while there is no v, only if it reaches
  the target): who masters a complex situation masters a simple one; a failure above *c* says nothing about *c*.
- The level at *c* is v rounded half up. The position is the highest *c* whose level reaches the target; if none
  does, the best level, at the highest *c* where it is reached.
- It is provisional when fewer turns than `minimum` counted there.

So a better newest turn never lowers a level, and daring a harder situation never costs a grade.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

NEWEST_WEIGHT = Fraction(65, 100)
_NEWEST, _OF = NEWEST_WEIGHT.as_integer_ratio()
COMPLEXITIES = (1, 2, 3)
TARGET = 3
MINIMUM = 2


@dataclass(frozen=True)
class Turn:
    """One observation: a level 1–4 (an average of several, once merged), the day of the work, its complexity 1–3."""

    level: Fraction | int
    worked_on: date
    complexity: int
    merged: int = 1
    """How many turns of that day and complexity it is the average of."""


@dataclass(frozen=True)
class Position:
    """A proposed position and the numbers it is made of."""

    level: int
    complexity: int
    provisional: bool
    levels: dict[int, int]
    """The level at each complexity that has one."""
    counted: tuple[Turn, ...]
    """The turns that made the value at `complexity`, newest first."""
    ignored: tuple[Turn, ...]
    """The turns above `complexity` that did not raise it, newest first."""
    value: Fraction = Fraction(0)
    """What was rounded to `level`."""
    seen: int = 0
    """How many turns were seen at `complexity`, or raised it."""
    missing: int = 0
    """How many turns more would make it certain; 0 unless it is provisional."""

    @property
    def grade(self) -> int:
        """What a gradebook gets: the highest level at any complexity up to the position."""
        return max(level for complexity, level in self.levels.items() if complexity <= self.complexity)


def propose(turns: Iterable[Turn], *, target: int = TARGET, minimum: int = MINIMUM) -> Position | None:
    """The position that turns add up to; None without turns."""
    ordered = merge(turns)
    if not ordered:
        return None
    values: dict[int, Fraction] = {}
    counted: dict[int, list[Turn]] = {}
    for complexity in COMPLEXITIES:
        value, used = _run(ordered, complexity, target)
        if value is not None:
            values[complexity], counted[complexity] = value, used
    levels = {complexity: round_half_up(value) for complexity, value in values.items()}
    complexity = choose(levels, target)
    used = counted[complexity]
    above = [turn for turn in ordered if turn.complexity > complexity and turn not in used]
    return Position(
        level=levels[complexity],
        complexity=complexity,
        provisional=len(used) < minimum,
        levels=levels,
        counted=tuple(reversed(used)),
        ignored=tuple(reversed(above)),
        value=values[complexity],
        seen=len(used),
        missing=max(0, minimum - len(used)),
    )


def choose(levels: dict[int, int], target: int) -> int:
    """The complexity of the position: the highest that reaches the target, else the highest of the best level."""
    reached = [complexity for complexity, level in levels.items() if level >= target]
    if reached:
        return max(reached)
    best = max(levels.values())
    return max(complexity for complexity, level in levels.items() if level == best)


def merge(turns: Iterable[Turn]) -> list[Turn]:
    """Turns in order of the date of the work, those of the same day and complexity averaged into one."""
    same: dict[tuple[date, int], list[Turn]] = {}
    for turn in turns:
        same.setdefault((turn.worked_on, turn.complexity), []).append(turn)
    return [
        group[0]
        if len(group) == 1
        else Turn(
            sum((Fraction(t.level) for t in group), Fraction(0)) / len(group), day, complexity, len(group)
        )
        for (day, complexity), group in sorted(same.items())
    ]


def round_half_up(value: Fraction) -> int:
    """2.5 is 3: Python's own rounding would say 2."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def _run(ordered: list[Turn], complexity: int, target: int) -> tuple[Fraction | None, list[Turn]]:
    """The value at one complexity after all turns, and the turns that made it.

    Exact, in whole numbers: the value is `top / bottom`. A class is some ten thousand turns, and fractions, reduced at
    each step, would take most of the time of its page.
    """
    top = bottom = 0
    used: list[Turn] = []
    for turn in ordered:
        if turn.complexity < complexity:
            continue
        x, parts = turn.level.numerator, turn.level.denominator
        if not bottom:
            counts = turn.complexity == complexity or x >= target * parts
            following, under = x, parts
        else:
            under = bottom * parts * _OF
            following = _NEWEST * x * bottom + (_OF - _NEWEST) * top * parts
            counts = turn.complexity == complexity or following * bottom > top * under
        if counts:
            top, bottom = following, under
            used.append(turn)
    return (Fraction(top, bottom) if bottom else None), used
