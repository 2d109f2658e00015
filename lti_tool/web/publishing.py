"""« Publier »: what would change in the gradebook, then exactly that sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from flask import redirect, render_template, request
from werkzeug.wrappers import Response

from ..courses.people import sort_key
from ..db import db, utcnow
from ..gradebook.models import ColumnOf, Mode
from ..gradebook.publishing import Change, Line, Plan, fingerprint, plan_scores, publish
from ..gradebook.queue import wake_worker
from ..gradebook.worths import settings_of
from .deliveries import Figures, score_words
from .gradebook import conversion_words
from .guard import May, here, page, row_id, visit
from .scorebook import Heading, column_key, column_names, everybodys_names, parse_column
from .shown import levels


@dataclass
class Part:
    """A column of the preview: what it would get, and the mark of what was seen of it."""

    key: str
    item: Heading
    chosen: bool
    counts: Counter[str] = field(default_factory=Counter)
    seen: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Shown:
    """A line of the preview."""

    who: str
    column: ColumnOf
    change: str
    level: int | None
    old: str
    new: str
    comment: str
    held: str


@page("/gradebook/publish", may=May.TEACH)
def preview_publish() -> Response | str:
    """What publishing would change, before it does."""
    course = visit().course
    settings = settings_of(db.session, course.id)
    if settings.mode != Mode.PUBLISH:
        return redirect(here("gradebook"), 303)
    plan = plan_scores(db.session, course, settings)
    items, names = column_names(db.session, course), everybodys_names(db.session, course)
    place = {column: index for index, column in enumerate(items)}
    people = {line.pair[0] for line in plan.lines}
    row = {p: index for index, p in enumerate(sorted(people, key=lambda p: sort_key(names.get(p, ""))))}
    lines = sorted(
        (line for line in plan.lines if line.pair[1] in items),
        key=lambda line: (place[line.pair[1]], row[line.pair[0]]),
    )
    figures = Figures()
    return render_template(
        "publish.html",
        counts=plan.counts,
        parts=_parts(lines, items, request.args.get("column", "")),
        columns={line.pair[1]: items[line.pair[1]] for line in lines},
        lines=[_shown(line, names, figures) for line in lines if line.change in (Change.NEW, Change.CHANGED)],
        conflicts=[_shown(line, names, figures) for line in lines if line.change is Change.CONFLICT],
        left=sorted((names.get(person, "?") for person in plan.left), key=sort_key),
        too_few=_too_few(plan, names),
        conversion=conversion_words(settings),
        settings=settings,
        words={choice.value: choice.label for choice in levels()},
    )


@page("/gradebook/publish", may=May.TEACH, methods=("POST",))
def gradebook_publish() -> Response:
    """Send what was seen in the preview, in the columns that are ticked, and nothing else."""
    course = visit().course
    done = publish(db.session, course, _seen(), utcnow())
    db.session.commit()
    if done.written:
        wake_worker()
    said = {"published": len(done.written), "already": done.already, "skipped": done.skipped}
    return redirect(here("gradebook", **said), 303)


def _seen() -> dict[ColumnOf, dict[int, str]]:
    """What the form says was seen, of the ticked columns."""
    found: dict[ColumnOf, dict[int, str]] = {}
    for key in request.form.getlist("columns"):
        column = parse_column(key)
        if column is None:
            continue
        people = found.setdefault(column, {})
        for mark in request.form.get(f"seen-{key}", "").split():
            person, _colon, value = mark.partition(":")
            try:
                people[row_id(person)] = value
            except ValueError:
                continue
    return found


def _parts(lines: list[Line], items: dict[ColumnOf, Heading], wanted: str) -> list[Part]:
    """The columns that something would be sent to; all chosen, or the one that was asked for."""
    parts: dict[ColumnOf, Part] = {}
    for line in lines:
        column = line.pair[1]
        key = column_key(column)
        part = parts.setdefault(column, Part(key, items[column], chosen=wanted in ("", key)))
        part.counts[line.change] += 1
        if line.change in (Change.NEW, Change.CHANGED) and line.value is not None:
            part.seen.append(f"{line.pair[0]}:{fingerprint(line.value)}")
    return [part for part in parts.values() if part.seen]


def _shown(line: Line, names: dict[int, str], figures: Figures) -> Shown:
    current, sent = line.cell.current, line.sent
    by_hand = line.change is Change.CONFLICT and current is not None and current.lms_score is not None
    return Shown(
        who=names.get(line.pair[0], "?"),
        column=line.pair[1],
        change=line.change,
        level=line.value.level if line.value else None,
        old=score_words(sent, figures) if sent is not None and sent.score is not None else "",
        new=score_words(line.value, figures) if line.value else "",
        comment=line.value.comment if line.value else "",
        held=figures[current.lms_score] if by_hand and current is not None else "",
    )


def _too_few(plan: Plan, names: dict[int, str]) -> dict[str, int]:
    """How many cells of each pupil wait for more observations."""
    counts = Counter(names.get(person, "?") for person, _column in plan.too_few)
    return dict(sorted(counts.items(), key=lambda one: sort_key(one[0])))
