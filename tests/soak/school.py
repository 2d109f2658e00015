"""The tool before a platform in trouble: its courses, and teachers who type in their grids until it is saved."""

from __future__ import annotations

import random
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

from lti_tool import create_app
from lti_tool.assessment.models import Assessment
from lti_tool.config import load_config
from lti_tool.courses.models import Course, Person, Role
from lti_tool.db import begin_write, db
from lti_tool.gradebook.models import OPEN, ScoreDelivery
from lti_tool.lti.keys import public_keys
from lti_tool.lti.platforms import add_platform
from lti_tool.setup import upgrade_database
from tests import factories
from tests.conftest import SECRET, Visitor, open_visit

from .servers import PlatformProcess

CODES = ("1A", "1B", "1C", "1D", "2A", "2B", "2C", "3A", "3B", "3C")
CLIENT = "soak"
AT_ONCE = 8
"""Cells that a teacher's page saves in one request."""
GIVES_UP_S = 240
"""A teacher whose page could not save for so long has found a defect."""

SETTINGS = """
[lti]
http_timeout_s = {timeout_s}
[delivery]
retry_first_s = 0.1
retry_longest_s = 1.0
# The waits are a thousandth of those of a school, where 24 tries last half a day; here they would last some seconds.
tries = 1000
lease_s = {lease_s}
"""

BUILDING = threading.Lock()
"""One application is built at a time: Python 3.11 cannot read syntax trees in two threads at once."""


@dataclass(frozen=True)
class Size:
    """How large a soak is, and how patient."""

    courses: int
    pupils: int
    """Of each course."""
    codes: tuple[str, ...] = CODES
    seed: str = "spirale"
    silence_s: float = 1.0
    timeout_s: float = 0.5
    lease_s: int = 6

    @property
    def cells(self) -> int:
        return self.courses * self.pupils * len(self.codes)


@dataclass
class Class:
    """One course, as its teachers see it."""

    context: str
    activity_id: int
    teachers: list[Visitor]
    pupils: dict[int, str]
    """Number in the tool → `sub` at the platform."""


@dataclass
class Typed:
    """What the tool has answered « saved » for."""

    levels: dict[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)
    """By course, competence and pupil: the newest entry's number, and its level."""
    entries: dict[int, int] = field(default_factory=dict)
    """Level by entry's number."""
    answers: dict[int, int] = field(default_factory=dict)
    """How many answers of each status the teachers' pages got."""
    said: set[str] = field(default_factory=set)
    """What the pages were told when an entry could not be saved."""
    lock: threading.Lock = field(default_factory=threading.Lock)


class School:
    """The tool, in this process, with its data in `folder`."""

    def __init__(
        self, folder: Path, size: Size, *, database_url: str = "", queue_url: str = "", made: bool = False
    ) -> None:
        """`made`: the database is already at the newest schema."""
        self.size, self.folder, self.typed = size, folder, Typed()
        settings = folder / "soak.toml"
        settings.write_text(SETTINGS.format(timeout_s=size.timeout_s, lease_s=size.lease_s), encoding="utf-8")
        self.environment = {
            "SPIRALE_CONFIG": str(settings),
            "SPIRALE_DATA_DIR": str(folder),
            "SPIRALE_SECRET_KEY": SECRET,
            "SPIRALE_DATABASE_URL": database_url,
            "SPIRALE_QUEUE_URL": queue_url,
        }
        with BUILDING:
            self.app: Flask = create_app(load_config(self.environment))
        self.app.testing = False
        self.codes: dict[int, str] = {}
        self.may_type = threading.Event()
        """The teachers look out of the window while it is not set."""
        self.may_type.set()
        self.hold_at = 0
        """After so many cells they do so, once."""
        with self.app.app_context():
            if not made:
                upgrade_database(self.app.extensions["spirale_config"])
            self.keys = public_keys(db.session, SECRET)
            self.codes = {factories.competence(code).id: code for code in size.codes}
            db.session.close()

    def pupils_of(self) -> dict[str, list[str]]:
        """By course, the `sub` of each pupil: what the platform is told before it starts."""
        return {
            f"c{course}": [f"c{course}-pupil-{n}" for n in range(1, self.size.pupils + 1)]
            for course in range(1, self.size.courses + 1)
        }

    def open_at(self, platform: PlatformProcess) -> list[Class]:
        """Register each course as a platform of its own, so that one that says « later » holds up no other; open it
        with two teachers.
        """
        with self.app.app_context():
            begin_write()
            made = [self._make(f"{platform.url}/{c}", c, subs) for c, subs in self.pupils_of().items()]
            db.session.commit()
            classes = [
                Class(
                    course.context_id,
                    activity_id,
                    [open_visit(self.app, course, teacher) for teacher in teachers],
                    pupils,
                )
                for course, activity_id, teachers, pupils in made
            ]
            db.session.close()
        return classes

    def _make(
        self, url: str, context: str, subs: list[str]
    ) -> tuple[Course, int, list[Person], dict[int, str]]:
        known = add_platform(
            db.session,
            name=f"Plateforme en difficulté {context}",
            issuer=url,
            client_id=CLIENT,
            auth_login_url=f"{url}/auth",
            auth_token_url=f"{url}/token",
            jwks_url=f"{url}/jwks",
            audience="",
            deployment_ids=("1",),
        )
        course = factories.course(known, context_id=context, lineitems_url=f"{url}/lineitems?type_id=1")
        teachers = [factories.enrolled(course, name, "Prof", Role.TEACHER) for name in ("Claire", "Karim")]
        pupils = {}
        for sub in subs:
            person = factories.enrolled(course, "Élève", sub)
            person.sub = sub
            pupils[person.id] = sub
        for number, teacher in enumerate(teachers):
            teacher.sub = f"{context}-{number}"
        activity = factories.activity(course, *self.size.codes, starts_on=date(2026, 9, 7))
        db.session.flush()
        return course, activity.id, teachers, pupils

    # Teachers

    def teach(self, classes: list[Class], who: int, part: float, every_s: float) -> None:
        """One teacher types a level in `part` of the cells of every class, one request `every_s`."""
        draw = random.Random(f"{self.size.seed}/teacher/{who}")
        for group in classes:
            cells = [(person, item) for item in self.codes for person in group.pupils]
            if part < 1:
                cells = draw.sample(cells, int(part * len(cells)))
            for start in range(0, len(cells), AT_ONCE):
                some = cells[start : start + AT_ONCE]
                self.may_type.wait()
                self._save(group, group.teachers[who], [(*cell, draw.randint(1, 4)) for cell in some])
                time.sleep(every_s)

    def _save(self, group: Class, teacher: Visitor, cells: list[tuple[int, int, int]]) -> None:
        """As the grid's page does: the same keys again, until the server has answered for them."""
        entries = [
            {
                "key": str(uuid.uuid4()),
                "person": person,
                "competence": item,
                "value": str(level),
                "comment": None,
            }
            for person, item, level in cells
        ]
        until = time.monotonic() + GIVES_UP_S
        while True:
            answer = teacher.post_json(
                f"/activities/{group.activity_id}/cells", {"entries": entries, "since": 0}
            )
            with self.typed.lock:
                answers = self.typed.answers
                answers[answer.status_code] = answers.get(answer.status_code, 0) + 1
            if answer.status_code == 200:
                break
            assert answer.status_code >= 500, f"{answer.status_code} {answer.text}"
            with self.typed.lock:
                self.typed.said.add(answer.json["message"])
            assert time.monotonic() < until, answer.text
            time.sleep(0.5)
        body: dict[str, Any] = answer.json
        assert not body["refused"], body["refused"]
        assert len(body["saved"]) == len(entries)
        for saved in body["saved"]:
            self._note(group, saved)

    def _note(self, group: Class, saved: dict[str, Any]) -> None:
        cell = group.context, self.codes[saved["competence"]], group.pupils[saved["person"]]
        newest = saved["entry"], int(saved["value"])
        with self.typed.lock:
            self.typed.entries[newest[0]] = newest[1]
            self.typed.levels[cell] = max(self.typed.levels.get(cell, newest), newest)
            if self.hold_at and len(self.typed.levels) >= self.hold_at:
                self.hold_at = 0
                self.may_type.clear()

    # What the tool holds

    def open_deliveries(self) -> int:
        with self.app.app_context():
            try:
                query = sa.select(sa.func.count()).where(ScoreDelivery.state.in_(OPEN))
                return db.session.scalar(query) or 0
            finally:
                db.session.close()

    def deliveries(self) -> list[dict[str, Any]]:
        """Every delivery that was ever written, oldest first, as plain values."""
        query = (
            sa.select(ScoreDelivery, Course.context_id, Person.sub)
            .join(Course, Course.id == ScoreDelivery.course_id)
            .join(Person, Person.id == ScoreDelivery.person_id)
            .order_by(ScoreDelivery.id)
        )
        with self.app.app_context():
            rows = [
                {
                    "id": row.id,
                    "cell": (context, self.codes[row.item_id], sub),
                    "state": row.state.value,
                    "reason": row.reason,
                    "status": row.status,
                    "tries": row.tries,
                    "score": float(row.score),
                    "comment": row.comment,
                    "timestamp": row.timestamp.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                }
                for row, context, sub in db.session.execute(query)
            ]
            db.session.close()
        return rows

    def entries(self) -> dict[int, int | None]:
        """Every entry of the grids, as the database holds it."""
        with self.app.app_context():
            rows = dict(db.session.execute(sa.select(Assessment.id, Assessment.level)).all())
            db.session.close()
        return rows

    def close(self) -> None:
        with self.app.app_context():
            db.engine.dispose()
        self.app.extensions["spirale_queue"].storage.close()
