"""Spirale's delivery, in a process of its own. `python benchmarks/delivery_worker.py fill URL SCORES|again|deliver`.

The settings are those of the environment. `fill` makes courses of 35 pupils with a score waiting for each of ten
competences; `again` makes a newer score of each; `deliver` runs what the worker runs, and prints what it cost as JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import urllib.request
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lti_tool import create_app  # noqa: E402
from lti_tool.courses.models import Course, Enrolment, Person, Role  # noqa: E402
from lti_tool.db import begin_write, db, utcnow  # noqa: E402
from lti_tool.frameworks.models import FrameworkItem  # noqa: E402
from lti_tool.gradebook.delivery import deliver_due  # noqa: E402
from lti_tool.gradebook.models import DeliveryState, ScoreDelivery  # noqa: E402
from lti_tool.lti.models import Platform  # noqa: E402
from lti_tool.lti.tokens import Tokens  # noqa: E402
from lti_tool.setup import upgrade_database  # noqa: E402
from tests import factories  # noqa: E402

PUPILS, COLUMNS, WARM = 35, 10, "warm"
COMMENT = "maîtrisée en situation variée ; bien maîtrisée en situation simple ; 6 situations, la dernière le 19 mars"


def fill(app: Flask, url: str, scores: int) -> None:
    """A platform and as many courses as the scores need."""
    upgrade_database(app.extensions["spirale_config"])
    begin_write()
    platform = factories.platform(issuer=url, auth_token_url=f"{url}/token", client_id="client")
    items = db.session.scalars(
        sa.select(FrameworkItem.id)
        .where(FrameworkItem.type == "competence")
        .order_by(FrameworkItem.id)
        .limit(COLUMNS)
    ).all()
    now = utcnow()
    warm = factories.course(platform, lineitems_url=f"{url}/courses/warm/lineitems", title=WARM)
    pupil = factories.enrolled(warm, "Camille", "Roux")
    db.session.execute(sa.insert(ScoreDelivery), [delivery(warm.id, pupil.id, items[0], 3, now)])
    for number in range(-(-scores // (PUPILS * COLUMNS))):
        course = factories.course(platform, lineitems_url=f"{url}/courses/{number}/lineitems")
        pupils = [Person(platform_id=platform.id, sub=f"pupil-{number}-{n}", name="") for n in range(PUPILS)]
        db.session.add_all(pupils)
        db.session.flush()
        db.session.execute(
            sa.insert(Enrolment),
            [
                {"course_id": course.id, "person_id": pupil.id, "role": Role.LEARNER, "number": n}
                for n, pupil in enumerate(pupils, 1)
            ],
        )
        waiting = [
            delivery(course.id, pupil.id, item, 1 + (pupil.id + item) % 4, now)
            for pupil in pupils
            for item in items
        ]
        db.session.execute(sa.insert(ScoreDelivery), waiting[: scores - number * PUPILS * COLUMNS])
    db.session.commit()


def delivery(course_id: int, person_id: int, item_id: int, level: int, now: Any) -> dict[str, Any]:
    """The row of a waiting score."""
    return {
        "course_id": course_id,
        "person_id": person_id,
        "item_id": item_id,
        "score": Decimal(level),
        "maximum": 4,
        "level": level,
        "comment": COMMENT,
        "timestamp": now,
        "state": DeliveryState.WAITING,
    }


def again() -> None:
    """Everybody's level changes."""
    begin_write()
    now = utcnow() + timedelta(seconds=2)
    cells = db.session.execute(
        sa.select(
            ScoreDelivery.course_id, ScoreDelivery.person_id, ScoreDelivery.item_id, ScoreDelivery.level
        ).order_by(ScoreDelivery.id)
    ).all()
    rows = [delivery(c, p, i, 1 + level % 4, now) for c, p, i, level in cells]
    db.session.execute(sa.insert(ScoreDelivery), rows)
    db.session.commit()


def hold_back(*, until: timedelta, but: str = "") -> None:
    """Scores wait for so long, except those of a course."""
    begin_write()
    others = sa.select(Course.id).where(Course.title != but)
    db.session.execute(
        sa.update(ScoreDelivery)
        .where(ScoreDelivery.course_id.in_(others), ScoreDelivery.state == DeliveryState.WAITING)
        .values(not_before=utcnow() + until)
    )
    db.session.commit()


def asked(url: str) -> Counter[str]:
    """What the platform was asked so far, and what it holds."""
    with urllib.request.urlopen(f"{url}/counts") as answer:
        return Counter(json.loads(answer.read()))


def deliver(app: Flask) -> None:
    """Everything that waits, and what it cost this process, which has delivered one score before and has no token."""
    statements = [0]
    config = app.extensions["spirale_config"]
    url = db.session.scalars(sa.select(Platform.issuer)).one()
    hold_back(until=timedelta(hours=1), but=WARM)
    deliver_due(app.extensions["spirale_tokens"], config)
    hold_back(until=timedelta())
    before = asked(url)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sa.event.listen(
        db.engine, "before_cursor_execute", lambda *_: statements.__setitem__(0, statements[0] + 1)
    )
    start, cpu = time.monotonic(), time.process_time()
    deliver_due(Tokens(), config)
    cost: dict[str, Any] = {"seconds": time.monotonic() - start, "cpu_s": time.process_time() - cpu}
    cost["asked"] = asked(url)
    cost["asked"].subtract({name: count for name, count in before.items() if name != "held"})
    states = dict(
        db.session.execute(
            sa.select(ScoreDelivery.state, sa.func.count()).group_by(ScoreDelivery.state)
        ).all()
    )
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cost |= {"statements": statements[0], "before_mb": before_kb / 1024, "peak_mb": peak_kb / 1024}
    print(json.dumps({**cost, "states": {state.value: count for state, count in states.items()}}))


if __name__ == "__main__":
    app = create_app()
    with app.app_context():
        match sys.argv[1:]:
            case ["fill", url, scores]:
                fill(app, url, int(scores))
            case ["again"]:
                again()
            case ["deliver"]:
                deliver(app)
