"""The simulator: the same observations, real or typed, under every policy, with the sentence of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from flask import render_template, request
from flask_babel import gettext as _

from ..activities.models import COMPLEXITIES
from ..assessment.decisions import policy_of
from ..assessment.entries import observations
from ..assessment.mastery import Position, Turn
from ..assessment.policies import MINIMUMS, POLICIES, TIMES_CHOICES, WEIGHTS, Policy, propose_by
from ..assessment.scales import LEVELS
from ..assessment.worked import worked_materials
from ..courses.people import Pupil, pupils
from ..courses.referentials import named
from ..db import db
from ..frameworks.models import FrameworkItem
from .guard import May, page, row_id, visit
from .policy_words import policy_name, policy_words
from .reasons import Reason, explain
from .shown import Choice, complexity_words, level_word, scale

EXAMPLE = (
    Turn(2, date(2026, 9, 17), 1),
    Turn(4, date(2026, 10, 8), 1),
    Turn(3, date(2026, 11, 26), 2),
    Turn(4, date(2027, 1, 14), 2),
    Turn(1, date(2027, 2, 4), 2),
)
"""Turns on which the policies disagree."""
SPARE_ROWS = 2
FEWEST_ROWS, MOST_ROWS = 6, 40


@dataclass(frozen=True)
class Trial:
    """What a policy makes of turns: the position after each of them, the last one, and why."""

    policy: Policy
    name: str
    position: Position
    reason: Reason
    after_each: list[Position]


@dataclass
class TypedTurn:
    """A row of the form, as it was typed, and what is wrong with it."""

    level: str = ""
    day: str = ""
    complexity: str = "1"
    problem: str = ""


@dataclass
class Sheet:
    """The form of the simulator."""

    rows: list[TypedTurn] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    pupil: Pupil | None = None
    item: FrameworkItem | None = None
    unseen: bool = False
    """Whether nothing was observed of the chosen pupil and competence."""


def try_policy(policy: Policy, turns: list[Turn]) -> Trial:
    """A policy tried on turns (at least one)."""
    oldest_first = sorted(turns, key=lambda turn: (turn.worked_on, turn.complexity))
    after_each = [
        position
        for n in range(1, len(oldest_first) + 1)
        if (position := propose_by(policy, oldest_first[:n], target=scale().target))
    ]
    last = after_each[-1]
    return Trial(policy, policy_name(policy), last, explain(last, policy), after_each)


@page("/settings/policy/try", may=May.ASSESS)
def try_policies() -> str | tuple[str, int]:
    """The observations of a pupil in a competence, or typed ones, under every policy."""
    course = visit().course
    people = pupils(db.session, course.id)
    items = [item for part in worked_materials(db.session, course) for item in part.competences]
    now = policy_of(db.session, course.id)
    tried = _parameters(now)
    sheet = _sheet(people, items)
    wrong = [row for row in sheet.rows if row.problem]
    trials = [] if wrong or not sheet.turns else _trials(tried, sheet.turns)
    shown = render_template(
        "policy_trial.html",
        course=course,
        people=people,
        items=items,
        sheet=sheet,
        wrong=wrong,
        trials=trials,
        oldest_first=sorted(sheet.turns, key=lambda turn: (turn.worked_on, turn.complexity)),
        now=now,
        tried=tried,
        words=policy_words(),
        levels=LEVELS,
        complexities=[Choice(c, complexity_words()[c]) for c in COMPLEXITIES],
        minimums=MINIMUMS,
        times_choices=TIMES_CHOICES,
        weights=WEIGHTS,
        level_word=level_word,
    )
    return (shown, 422) if wrong else shown


def _parameters(now: Policy) -> Policy:
    """The parameters of the address; the course's where it names none that the lists offer."""

    def chosen(name: str, offered: tuple[int, ...], kept: int) -> int:
        return next((n for n in offered if str(n) == request.args.get(name)), kept)

    return Policy(
        now.name,
        chosen("minimum", MINIMUMS, now.minimum),
        chosen("times", TIMES_CHOICES, now.times),
        chosen("weight", WEIGHTS, now.weight),
    )


def _trials(tried: Policy, turns: list[Turn]) -> list[Trial]:
    kinds = [Policy(name, tried.minimum, tried.times, tried.weight) for name in POLICIES]
    return [try_policy(kind, turns) for kind in kinds]


def _sheet(people: list[Pupil], items: list[FrameworkItem]) -> Sheet:
    """What was typed; else what was observed of the pupil and the competence of the address; else the example."""
    person_id = request.args.get("pupil", type=row_id)
    sheet = Sheet(
        pupil=next((one for one in people if one.person_id == person_id), None),
        item=named(items, request.args.get("competence", "")),
    )
    if "level" in request.args:
        sheet.rows = _typed_rows()
    elif sheet.pupil and sheet.item:
        seen = observations(
            db.session, visit().course.id, person_ids=[sheet.pupil.person_id], item_ids=[sheet.item.id]
        )
        sheet.rows, sheet.unseen = [_row(o.turn) for o in seen], not seen
    else:
        sheet.rows = [_row(turn) for turn in EXAMPLE]
    sheet.turns = [turn for row in sheet.rows if (turn := _turn(row))]
    wanted = max(FEWEST_ROWS, len(sheet.rows) + SPARE_ROWS)
    sheet.rows += [TypedTurn() for _n in range(min(wanted, MOST_ROWS) - len(sheet.rows))]
    return sheet


def _row(turn: Turn) -> TypedTurn:
    return TypedTurn(str(turn.level), turn.worked_on.isoformat(), str(turn.complexity))


def _typed_rows() -> list[TypedTurn]:
    """The rows that say something, in the order they were typed."""
    columns = [request.args.getlist(name)[:MOST_ROWS] for name in ("level", "day", "complexity")]
    height = max(map(len, columns))
    padded = [[*column, *[""] * (height - len(column))] for column in columns]
    rows = [TypedTurn(*(text.strip()[:10] for text in row)) for row in zip(*padded, strict=True)]
    return [row for row in rows if row.level or row.day]


def _turn(row: TypedTurn) -> Turn | None:
    """The turn of a row; None, and its problem is said, when it is not one."""
    if row.level not in {str(level) for level in LEVELS}:
        row.problem = _("Choisir un niveau de 1 à 4, ou vider la date.")
    elif row.complexity not in {str(complexity) for complexity in COMPLEXITIES}:
        row.problem = _("Choisir la complexité.")
    else:
        try:
            return Turn(int(row.level), date.fromisoformat(row.day), int(row.complexity))
        except ValueError:
            row.problem = _("Taper la date du travail.")
    return None
