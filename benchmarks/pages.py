"""What each page costs: bytes sent, CPU of the server, SQL queries. `pages.py [--only sqlite] [--rounds 15]`.

100 000 assessments of 24 courses; the course measured is one of them: 35 pupils, 14 competences of two referentials,
24 situations, every score queued for the gradebook. Each request goes through the whole application (session, guard,
database, page) without a network; CPU time is that of this process, the median of the rounds, after one to warm up.
On PostgreSQL that of the database's own processes is not in it.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import statistics
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lti_tool import create_app  # noqa: E402
from lti_tool.assessment.models import Assessment  # noqa: E402
from lti_tool.config import shipped  # noqa: E402
from lti_tool.db import begin_write, db, utcnow  # noqa: E402
from lti_tool.frameworks.loading import load_referentials, read_all, shipped_referentials  # noqa: E402
from lti_tool.gradebook.scores import queue_all  # noqa: E402
from lti_tool.setup import upgrade_database  # noqa: E402
from tests import factories  # noqa: E402
from tests.classes import Class, make_class  # noqa: E402
from tests.conftest import make_config  # noqa: E402
from tests.postgres import running_postgres  # noqa: E402
from tests.statements import statements  # noqa: E402
from tests.web.every_page import Opened, every_page  # noqa: E402

COURSES, PUPILS, SITUATIONS = 24, 35, 24
BESIDE = shipped("configs", "referentials", "examples", "crcn.yaml")
MOST_BYTES, MOST_MS = 100_000, 60.0


def fill(app: Flask) -> Class:
    """The courses; the one to measure."""
    with app.app_context():
        load_referentials(db.session, read_all([*shipped_referentials(), BESIDE]))
        db.session.commit()
        begin_write()
        platform = factories.platform()
        slugs = ["mrc-seconde", "crcn"]
        made = [
            make_class(platform, PUPILS, SITUATIONS, seed=seed, slugs=slugs if seed == COURSES // 2 else None)
            for seed in range(COURSES)
        ]
        measured = made[COURSES // 2]
        queue_all(db.session, measured.course, utcnow())
        db.session.commit()
        rows = db.session.scalar(sa.select(sa.func.count()).select_from(Assessment))
        print(f"{rows} assessments, {COURSES} courses")
        db.session.close()
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
    return measured


def measure(app: Flask, page: Opened, rounds: int) -> str:
    """A line of the table."""
    headers = {"Accept-Encoding": "gzip"}
    page.visitor.get(page.path, headers=headers)
    with statements(app) as seen:
        answer = page.visitor.get(page.path, headers=headers)
    taken = []
    for _round in range(rounds):
        start = time.process_time()
        page.visitor.get(page.path, headers=headers)
        taken.append(1000 * (time.process_time() - start))
    sent, whole = len(answer.data), answer.data
    if answer.headers.get("Content-Encoding") == "gzip":
        whole = gzip.decompress(answer.data)
    cost = statistics.median(taken)
    over = " !" if sent > MOST_BYTES or cost > MOST_MS else ""
    return (
        f"| {page.name} | {answer.status_code} | {sent / 1000:.1f} | {len(whole) / 1000:.1f} | {cost:.1f} "
        f"| {sorted(taken)[-1]:.1f} | {len(seen)} |{over}"
    )


def walk(name: str, folder: Path, rounds: int, only: str, **settings: str) -> None:
    config = make_config(folder, **settings)
    app = create_app(config)
    with app.app_context():
        upgrade_database(config)
    measured = fill(app)
    gc.collect()
    gc.freeze()  # as a worker of ours does once it is ready (lti_tool/serving.py)
    print(f"\n{name}\n")
    print("| page | answer | kB sent | kB of HTML | CPU ms | slowest | queries |")
    print("|---|---|---|---|---|---|---|")
    for page in every_page(app, measured):
        if only in page.name:
            print(measure(app, page, rounds), flush=True)
    with app.app_context():
        db.engine.dispose()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--only", choices=("sqlite", "postgresql"))
    asked.add_argument("--page", default="", help="only the pages whose name contains this")
    asked.add_argument("--rounds", type=int, default=15)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.only != "postgresql":
            walk("SQLite", Path(folder), options.rounds, options.page)
        if options.only != "sqlite":
            with running_postgres() as server:
                url = server.new_database()
                walk("PostgreSQL", Path(folder), options.rounds, options.page, SPIRALE_DATABASE_URL=url)


if __name__ == "__main__":
    main()
