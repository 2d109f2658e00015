"""What saving one cell of the grid costs. `python benchmarks/saving.py [--assessments 100000] [--saves 300]`.

A teacher types in a class of 35 that has done thirty situations on four competences; the database holds as many
assessments as said, in classes like it. Each save is the request of the grid's page through the whole application, its
score and its message to the worker included, on SQLite and on PostgreSQL (which then holds the worker's messages too);
processor time of this process, the client that makes the request included. What a platform does is not in it: nothing
is sent while a teacher types. Then the same for a whole column of the class, pasted. Between two saves a page that
costs 6 ms on a quiet machine, « Choisir ce qu’ouvre ce lien », says how quiet this one is.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lti_tool import create_app  # noqa: E402
from lti_tool.activities.models import Activity  # noqa: E402
from lti_tool.assessment.models import Assessment  # noqa: E402
from lti_tool.courses.models import Course, Person, ResourceLink, Role  # noqa: E402
from lti_tool.db import begin_write, db  # noqa: E402
from lti_tool.setup import upgrade_database  # noqa: E402
from tests import factories  # noqa: E402
from tests.conftest import Visitor, make_config, open_visit  # noqa: E402
from tests.postgres import running_postgres  # noqa: E402

PUPILS, SITUATIONS, CODES, WARM_UP = 35, 30, ("1A", "1B", "1C", "2A"), 30


def fill(total: int) -> tuple[Course, Person, Activity, list[int], list[int]]:
    """Classes until there are so many assessments; the last class, its teacher, a new situation, its pupils."""
    platform, made = factories.platform(), 0
    items = [factories.competence(code).id for code in CODES]
    while True:
        course = factories.course(platform)
        teacher = factories.enrolled(course, "Claire", "Morel", Role.TEACHER)
        pupils = [factories.enrolled(course, "Camille", f"Roux {n}").id for n in range(PUPILS)]
        for number in range(SITUATIONS):
            day = date(2025, 9, 1) + timedelta(days=7 * number)
            activity = factories.activity(course, *CODES, starts_on=day, complexity=1 + number % 3)
            rows = [
                {
                    "key": str(uuid.uuid4()),
                    "activity_id": activity.id,
                    "item_id": item,
                    "person_id": pupil,
                    "assessor_id": teacher.id,
                    "level": 1 + (pupil + item + number) % 4,
                    "comment": "",
                }
                for pupil in pupils
                for item in items
            ]
            db.session.execute(sa.insert(Assessment), rows)
            made += len(rows)
        if made >= total:
            new = factories.activity(course, *CODES, starts_on=date(2026, 6, 1))
            return course, teacher, new, pupils, items


def saves(pupils: list[int], items: list[int], count: int, many: int) -> Iterator[list[dict[str, Any]]]:
    """What the page sends: so many cells at a time, down the columns, then the same with other levels."""
    cells = [(pupil, item) for item in items for pupil in pupils]
    for number in range(count):
        turn, first = divmod(number * many, len(cells))
        yield [
            {
                "key": str(uuid.uuid4()),
                "person": pupil,
                "competence": item,
                "value": str(1 + (first + pupil + turn) % 4),
                "comment": None,
            }
            for pupil, item in cells[first : first + many]
        ]


def measure(app: Flask, options: Any) -> None:
    """Print the figures of one database."""
    with app.app_context():
        upgrade_database(app.extensions["spirale_config"])
        begin_write()
        course, teacher, activity, pupils, items = fill(options.assessments)
        link = ResourceLink(course_id=course.id, link_id="link")
        db.session.add(link)
        db.session.commit()
        held = db.session.scalar(sa.select(sa.func.count(Assessment.id)))
        engine, backend = db.engine, db.engine.dialect.name
        path, course_id, link_id = f"/activities/{activity.id}/cells", course.id, link.id
        db.session.close()
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE" if backend == "postgresql" else "COMMIT")
    visitor: Visitor = open_visit(app, course, teacher, resource_link_id=link_id)
    statements: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    gc.collect()  # what made the data is no part of a server
    gc.freeze()
    since = 0
    for many in (1, PUPILS):
        taken: list[float] = []
        quiet: list[float] = []
        counted: list[int] = []
        for entries in saves(pupils, items, WARM_UP + options.saves, many):
            app.extensions["spirale_queue"].storage.flush_queue()  # the worker takes its messages
            statements.clear()
            start = time.process_time()
            answer = visitor.post_json(path, {"entries": entries, "since": since})
            taken.append(1000 * (time.process_time() - start))
            counted.append(len(statements))
            assert answer.status_code == 200, answer.text
            assert len(answer.json["saved"]) == many, answer.json
            since = answer.json["cursor"]
            if options.show and len(taken) == WARM_UP + options.saves:
                print("\n".join(statements))
            start = time.process_time()
            assert visitor.get("/link").status_code == 200
            quiet.append(1000 * (time.process_time() - start))
        found = sorted(taken[WARM_UP:])
        median = statistics.median(found)
        said = f" (≤ 10: {'yes' if median <= 10 else 'NO'})" if many == 1 else ""
        print(
            f"{backend:10} {held:7} assessments, course {course_id}, {many:2} at a time: "
            f"median {median:5.2f} ms{said}, 99 in 100 under {found[len(found) * 99 // 100]:5.2f}, "
            f"slowest {found[-1]:5.2f}; {statistics.median(counted):.0f} statements; "
            f"yardstick {statistics.median(quiet[WARM_UP:]):5.2f} ms",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--assessments", type=int, default=100_000)
    parser.add_argument("--saves", type=int, default=300)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument("--show", action="store_true", help="print the statements of the last save")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        if options.only != "postgresql":
            measure(create_app(make_config(Path(name) / "sqlite")), options)
        if options.only != "sqlite":
            server = stack.enter_context(running_postgres())
            url = server.new_database()
            config = make_config(Path(name) / "postgresql", SPIRALE_DATABASE_URL=url, SPIRALE_QUEUE_URL=url)
            app = create_app(config)
            measure(app, options)
            with app.app_context():
                db.engine.dispose()


if __name__ == "__main__":
    main()
