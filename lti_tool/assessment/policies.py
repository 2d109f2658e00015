"""The policies a course may choose from: how observations become a proposed position. Pure, like `mastery`.

*spirale*, the default, is `mastery.propose`. The others know nothing of what a harder situation says about an easier
one: each is applied to the turns of exactly one complexity, complexity after complexity, and the position is then
chosen as *spirale* chooses it, so that a level never goes without its complexity (docs/mastery.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from .mastery import COMPLEXITIES, MINIMUM, TARGET, Position, Turn, choose, merge, propose, round_half_up

SPIRALE, LATEST, BEST, MEAN, DECAYING, TIMES = "spirale", "latest", "best", "mean", "decaying", "times"
POLICIES = (SPIRALE, LATEST, BEST, MEAN, DECAYING, TIMES)
MINIMUMS = (1, 2, 3, 4, 5)
TIMES_CHOICES = (1, 2, 3, 4, 5)
WEIGHTS = (50, 55, 60, 65, 70, 75, 80, 85, 90)


@dataclass(frozen=True)
class Policy:
    """A policy and its parameters; those that it does not use are kept for the day it is left for another."""

    name: str = SPIRALE
    minimum: int = MINIMUM
    """Turns at the position's complexity (those of one day are one) below which it is provisional."""
    times: int = 2
    """*times*: how many turns at or above the target."""
    weight: int = 65
    """*decaying*: what the newest turn weighs, in per cent."""


Result = tuple[Fraction, list[Turn]]
"""A value at one complexity, and the turns it is made of, newest first."""


def propose_by(policy: Policy, turns: Iterable[Turn], *, target: int = TARGET) -> Position | None:
    """The position that turns add up to under a policy; None without turns."""
    if policy.name == SPIRALE:
        return propose(turns, target=target, minimum=policy.minimum)
    newest_first = sorted(turns, key=lambda t: (t.worked_on, t.level), reverse=True)
    if not newest_first:
        return None
    results = {}
    for complexity in COMPLEXITIES:
        at = [turn for turn in newest_first if turn.complexity == complexity]
        if at:
            results[complexity] = RULES[policy.name](at, policy, target)
    levels = {complexity: round_half_up(value) for complexity, (value, _used) in results.items()}
    complexity = choose(levels, target)
    value, used = results[complexity]
    merged = merge(newest_first)
    missing = max(0, policy.minimum - sum(turn.complexity == complexity for turn in merged))
    return Position(
        level=levels[complexity],
        complexity=complexity,
        provisional=missing > 0,
        levels=levels,
        counted=tuple(used),
        ignored=tuple(turn for turn in reversed(merged) if turn.complexity > complexity),
        value=value,
        seen=sum(turn.complexity == complexity for turn in newest_first),
        missing=missing,
    )


def _latest(at: list[Turn], _policy: Policy, _target: int) -> Result:
    newest = merge(at)[-1]
    return Fraction(newest.level), [newest]


def _best(at: list[Turn], _policy: Policy, _target: int) -> Result:
    best = max(at, key=lambda turn: turn.level)  # the newest of those
    return Fraction(best.level), [best]


def _mean(at: list[Turn], _policy: Policy, _target: int) -> Result:
    return sum((Fraction(turn.level) for turn in at), Fraction(0)) / len(at), at


def _decaying(at: list[Turn], policy: Policy, _target: int) -> Result:
    weight = Fraction(policy.weight, 100)
    first, *others = oldest_first = merge(at)
    value = Fraction(first.level)
    for turn in others:
        value = weight * turn.level + (1 - weight) * value
    return value, oldest_first[::-1]


def _times(at: list[Turn], policy: Policy, target: int) -> Result:
    """The highest level reached `times` times, where the target is; else the best one below the target."""
    ranked = sorted((turn.level for turn in at), reverse=True)
    if len(ranked) >= policy.times and ranked[policy.times - 1] >= target:
        level = Fraction(ranked[policy.times - 1])
    else:
        level = Fraction(max(1, min(ranked[0], target - 1)))
    return level, [turn for turn in at if turn.level >= level]


RULES: dict[str, Callable[[list[Turn], Policy, int], Result]] = {
    LATEST: _latest,
    BEST: _best,
    MEAN: _mean,
    DECAYING: _decaying,
    TIMES: _times,
}
