"""Why a level is what it is: one sentence, made of the numbers the position was made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from itertools import groupby
from math import floor

from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _

from ..assessment.entries import Observation
from ..assessment.mastery import Position, Turn, round_half_up
from ..assessment.policies import BEST, DECAYING, LATEST, MEAN, SPIRALE, TIMES, Policy
from ..assessment.scales import LEVELS
from ..assessment.words import in_situation, plain_date
from .shown import long_date, scale, today

MOST_COUNTED = 4
"""The fifth turn back weighs less than 2 %: it is counted, not told."""
MOST_IGNORED = 3
NEAR_DAYS = 300


@dataclass(frozen=True)
class Reason:
    """« 3 en situation variée », « 3 le 12 mars, 4 le 2 février », and what would confirm it (empty: nothing)."""

    answer: str
    because: str
    provisional: str

    @property
    def sentence(self) -> str:
        return _("%(answer)s\u00a0: %(because)s", answer=self.answer, because=self.because)


def explain(position: Position, policy: Policy | None = None) -> Reason:
    """Why a position is proposed, in the words of its own turns. The policy is the one that proposed it."""
    policy = policy or Policy()
    counted = _how(position, policy)
    if policy.name != SPIRALE:
        counted += _harder(position)
    elif position.ignored:
        counted = _("%(counted)s\u202f; %(ignored)s", counted=counted, ignored=_ignored(position))
    return Reason(
        answer=f"{position.level} {in_situation()[position.complexity]}",
        because=counted,
        provisional=_provisional(position),
    )


def describe_turns(turns: Sequence[Observation]) -> str:
    """The picture of a spiral in one sentence; `turns` oldest first, at least one."""
    runs = []
    for complexity in sorted({o.activity.complexity for o in turns}):
        levels = [str(o.level) for o in turns if o.activity.complexity == complexity]
        runs.append(_("%(levels)s %(situation)s", levels=then(levels), situation=in_situation()[complexity]))
    first, last = turns[0].activity.starts_on, turns[-1].activity.starts_on
    when = (
        _("le %(day)s", day=day_words(last))
        if first == last
        else _("du %(first)s au %(last)s", first=day_words(first), last=day_words(last))
    )
    count = ngettext("%(num)d tour", "%(num)d tours", len(turns))
    return _(
        "%(count)s, %(when)s\u00a0: %(levels)s. La liste complète suit.",
        count=count,
        when=when,
        levels=", ".join(runs),
    )


def then(words: list[str]) -> str:
    """« 2, 4 puis 3 »."""
    if len(words) < 2:
        return "".join(words)
    return _("%(first)s puis %(last)s", first=", ".join(words[:-1]), last=words[-1])


def both(words: list[str]) -> str:
    """« 2A, 2B et 2C »."""
    if len(words) < 2:
        return "".join(words)
    return _("%(first)s et %(last)s", first=", ".join(words[:-1]), last=words[-1])


def day_words(day: date) -> str:
    """« 12 mars », with its year when that is not near."""
    return plain_date(day) if abs((today() - day).days) < NEAR_DAYS else long_date(day)


def _how(position: Position, policy: Policy) -> str:
    """« 3 le 12 mars, 4 le 2 février », and what a policy other than *spirale* made of them."""
    counted = _counted(position)
    if policy.name == TIMES:
        return _reached(position, policy)
    if position.seen < 2 or policy.name == SPIRALE:
        return counted
    if policy.name == LATEST:
        return _("%(turn)s, le plus récent de %(n)d tours", turn=counted, n=position.seen)
    if policy.name == BEST:
        return _("%(turn)s, le meilleur de %(n)d tours", turn=counted, n=position.seen)
    value = _value(position)
    if policy.name == MEAN:
        return _("%(value)s en moyenne (%(turns)s)", value=value, turns=counted)
    assert policy.name == DECAYING
    return _(
        "%(value)s, le plus récent comptant pour %(weight)d\u00a0%% (%(turns)s)",
        value=value,
        weight=policy.weight,
        turns=counted,
    )


def _harder(position: Position) -> str:
    """« ; en plus difficile : 1 en situation variée », where there is something harder."""
    words = in_situation()
    levels = [
        f"{level} {words[c]}" for c, level in sorted(position.levels.items()) if c > position.complexity
    ]
    return _("\u202f; en plus difficile\u00a0: %(levels)s", levels=", ".join(levels)) if levels else ""


def _value(position: Position) -> str:
    """« 2,67 », or « 2,49 » for what is a little more: what is read always rounds to the level that is shown."""
    shown = Fraction(round(position.value * 100), 100)
    if round_half_up(shown) != round_half_up(position.value):
        shown = Fraction(floor(position.value * 100), 100)
    return str(format_decimal(float(shown), "0.##"))


def _reached(position: Position, policy: Policy) -> str:
    """« 3 ou plus atteint 1 fois, il le faut 2 fois (3 le 12 mars) »."""
    aim = max(position.level, scale().target)
    reached = tuple(turn for turn in position.counted if turn.level >= aim)
    words = {
        "aim": _("%(level)d ou plus", level=aim) if aim < LEVELS[-1] else str(aim),
        "times": ngettext("%(num)d fois", "%(num)d fois", len(reached)),
        "needed": ngettext("il le faut %(num)d fois", "il le faut %(num)d fois", policy.times),
        "turns": _counted(replace(position, counted=reached or position.counted)),
    }
    if not reached:
        return _("%(aim)s pas encore atteint, %(needed)s (au mieux %(turns)s)", **words)
    if len(reached) < policy.times:
        return _("%(aim)s atteint %(times)s, %(needed)s (%(turns)s)", **words)
    return _("%(aim)s atteint %(times)s (%(turns)s)", **words)


def _counted(position: Position) -> str:
    shown, older = position.counted[:MOST_COUNTED], position.counted[MOST_COUNTED:]
    parts = [_counted_turn(turn, position.complexity) for turn in shown]
    if older:
        parts.append(ngettext("un tour plus ancien", "%(num)d tours plus anciens", len(older)))
    return ", ".join(parts)


def _counted_turn(turn: Turn, complexity: int) -> str:
    level, day = _level(turn), day_words(turn.worked_on)
    if turn.merged > 1:
        said = _("%(level)s en moyenne le %(day)s", level=level, day=day)
    else:
        said = _("%(level)s le %(day)s", level=level, day=day)
    if turn.complexity == complexity:
        return said
    return _("%(turn)s (%(situation)s)", turn=said, situation=in_situation()[turn.complexity])


def _ignored(position: Position) -> str:
    """« le 2 du 19 mars en situation complexe ne l’abaisse pas »."""
    turns = position.ignored
    if len(turns) > MOST_IGNORED:
        return _("les %(n)d tours en situation plus complexe ne l’abaissent pas", n=len(turns))
    runs = []
    for complexity, group in groupby(
        sorted(turns, key=lambda t: t.complexity, reverse=True), key=lambda t: t.complexity
    ):
        said = [_("le %(level)s du %(day)s", level=_level(t), day=day_words(t.worked_on)) for t in group]
        runs.append(_("%(turns)s %(situation)s", turns=both(said), situation=in_situation()[complexity]))
    if len(turns) == 1:
        return _("%(turns)s ne l’abaisse pas", turns=runs[0])
    return _("%(turns)s ne l’abaissent pas", turns=both(runs))


def _provisional(position: Position) -> str:
    if not position.missing:
        return ""
    return ngettext(
        "Provisoire\u00a0: un tour de plus le confirmera.",
        "Provisoire\u00a0: %(num)d tours de plus le confirmeront.",
        position.missing,
    )


def _level(turn: Turn) -> str:
    """« 3 », or « 2,5 » for turns of one day averaged."""
    return str(format_decimal(round(float(turn.level), 1), "0.#"))
