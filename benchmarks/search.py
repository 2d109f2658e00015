"""Search in the referential: CPU time of a request, on the real data and on ten times as much. `search.py [N]`.

Each request goes through the whole application (session, guard, database, page) without a network. CPU time of this
process, N requests per query; the index is built before, and its own time told apart.
"""

from __future__ import annotations

import gc
import statistics
import sys
import tempfile
import time
import uuid
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lti_tool import create_app  # noqa: E402
from lti_tool.db import begin_write, db  # noqa: E402
from lti_tool.frameworks.indexing import build_index  # noqa: E402
from lti_tool.frameworks.loading import load_referentials, read_all, shipped_referentials  # noqa: E402
from lti_tool.frameworks.reading import ItemData, ReferentialData  # noqa: E402
from lti_tool.frameworks.sheets import find_framework, linked_frameworks  # noqa: E402
from lti_tool.setup import upgrade_database  # noqa: E402
from tests.conftest import Visitor, make_config, make_school  # noqa: E402

QUERIES = (
    *("client", "accueil", "téléphone", "omnicanal", "prospection", "les clients", "réseaux sociaux"),
    *("1A", "4B.3", "bloc 3", "groupe 4B", "MCV", "critères 1A", "MCV téléphone", "savoir relation client"),
    *("qualité de la relation client", "mise en oeuvre", "face à face", "base de données", "fidélisation"),
    *("ent", "de", "la vente et le conseil", "blockchain"),
)
TIMES = 10
NAMESPACE = uuid.UUID("d5b5f8b5-3f0c-4d0c-8f0e-7d5f0c0a1b2c")


def copied(identifier: str, number: int) -> str:
    return str(uuid.uuid5(NAMESPACE, f"{identifier} {number}")) if number else identifier


def copy(item: ItemData, number: int) -> ItemData:
    """An item with identifiers and codes of its own."""
    return replace(
        item,
        uuid=copied(item.uuid, number),
        code=f"{item.code} {number}" if number and item.code else item.code,
        also_under=[],
        items=[copy(child, number) for child in item.items],
    )


def multiplied(data: ReferentialData) -> ReferentialData:
    """A referential with ten times its items, and its links ten times too."""
    return replace(
        data,
        items=[copy(item, number) for number in range(TIMES) for item in data.items],
        links=[
            replace(
                link,
                origin=f"{link.origin} {number}" if number else link.origin,
                destinations=[(copied(identifier, number), line) for identifier, line in link.destinations],
            )
            for number in range(TIMES)
            for link in data.links
        ],
        checksum=f"{TIMES} times",
    )


def index_ms() -> list[float]:
    """Milliseconds of CPU to build the index, five times."""
    framework = find_framework(db.session, "mrc-seconde")
    linked = linked_frameworks(db.session, framework.id)
    found = []
    for _each in range(5):
        start = time.process_time()
        build_index(db.session, [framework], linked, "fr")
        found.append(1000 * (time.process_time() - start))
    return found


def request_ms(visitor: Visitor, path: str, query: str) -> float:
    start = time.process_time()
    answer = visitor.get(path, query_string={"q": query})
    taken = 1000 * (time.process_time() - start)
    assert answer.status_code == 200, answer.status_code
    return taken


def measure(name: str, visitor: Visitor, count: int) -> None:
    """Print the figures of one set of data."""
    gc.collect()  # what made the data is no part of a server
    built = index_ms()
    print(f"{name}: index {statistics.median(built):.0f} ms, slowest {max(built):.0f} ms")
    for what, path in (("page", "/referential/search"), ("results alone", "/referential/search/results")):
        request_ms(visitor, path, "client")
        taken = {q: sorted(request_ms(visitor, path, q) for _each in range(count)) for q in QUERIES}
        every = sorted(one for each in taken.values() for one in each)
        worst = max(taken, key=lambda q: statistics.median(taken[q]))
        print(
            f"  {what}: median {statistics.median(every):.1f} ms, "
            f"99 in 100 under {every[len(every) * 99 // 100]:.1f} ms, worst {every[-1]:.1f} ms; "
            f"slowest query « {worst} » {statistics.median(taken[worst]):.1f} ms"
        )


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as folder:
        config = make_config(Path(folder))
        app = create_app(config)
        with app.app_context():
            upgrade_database(config)
        visitor = make_school(app).visit("teacher")
        with app.app_context():
            measure("662 items", visitor, count)
            begin_write()
            load_referentials(db.session, [multiplied(data) for data in read_all(shipped_referentials())])
            db.session.commit()
            db.session.close()
            measure(f"{TIMES} times as much", visitor, count)


if __name__ == "__main__":
    main()
