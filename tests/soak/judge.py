"""What must be true at the end of a soak, of the platform's journal and of the tool's tables."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from .fates import ENDPOINTS, MALFORMED, PERCENT

Cell = tuple[str, str, str]
"""Course, competence, pupil."""
SHOWN = 5


@dataclass
class Verdict:
    """Figures, and what is wrong: nothing, if the tool is right."""

    faults: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)

    def demand(self, wrong: list[Any], what: str) -> None:
        if wrong:
            some = "; ".join(str(one) for one in wrong[:SHOWN])
            self.problems.append(f"{len(wrong)} {what}: {some}")


def judge(
    report: dict[str, Any],
    deliveries: list[dict[str, Any]],
    levels: dict[Cell, tuple[int, int]],
    entries: tuple[dict[int, int], dict[int, int | None]],
) -> Verdict:
    """`levels`: what was typed last in each cell; `entries`: those answered « saved », those that are held."""
    verdict = Verdict(_faults(report))
    applied = [line for line in report["journal"] if line["applied"]]
    verdict.figures = {
        "cells": len(levels),
        "scores written": len(deliveries),
        "scores posted": len(report["journal"]),
        "scores applied": len(applied),
    }
    _check_entries(verdict, *entries)
    _check_newest(verdict, report, deliveries, levels)
    _check_order(verdict, report["journal"], deliveries)
    _check_columns(verdict, report, levels)
    verdict.demand(report["refusals"], "requests wrong in themselves")
    verdict.demand([name for name, count in verdict.faults.items() if not count], "faults never happened")
    return verdict


def _faults(report: dict[str, Any]) -> dict[str, int]:
    """How many of each fault happened; malformed answers by what was asked."""
    counts = dict.fromkeys(
        (*(f for f in PERCENT if f != MALFORMED), *(f"{MALFORMED}, {e}" for e in ENDPOINTS)), 0
    )
    for fault, endpoint, count in report["happened"]:
        counts[f"{fault}, {endpoint}" if fault == MALFORMED else fault] += count
    return counts


def _check_entries(verdict: Verdict, saved: dict[int, int], held: dict[int, int | None]) -> None:
    lost = [number for number, level in saved.items() if held.get(number) != level]
    verdict.demand(lost, "saved entries are lost")
    verdict.demand([number for number in held if number not in saved], "entries nobody was told of")


def _check_newest(
    verdict: Verdict,
    report: dict[str, Any],
    deliveries: list[dict[str, Any]],
    levels: dict[Cell, tuple[int, int]],
) -> None:
    """Each cell holds the level typed last, from the newest delivery, which the tool knows to be there."""
    newest = {row["cell"]: row for row in deliveries if row["state"] != "replaced"}
    there = {}
    for grade in report["grades"]:
        column = report["columns"][str(grade["column"])]
        there[column["course"], column["tag"], grade["sub"]] = grade
    lost, old, untold = [], [], []
    for cell, (_entry, level) in levels.items():
        grade, row = there.get(cell), newest.get(cell)
        if grade is None or row is None:
            lost.append((cell, row))
        elif grade["score"] != level or row["score"] != level:
            old.append((cell, level, grade, row))
        elif row["state"] != "sent" or (row["timestamp"], row["comment"]) != (
            grade["timestamp"],
            grade["comment"],
        ):
            untold.append((cell, grade, row))
    verdict.demand(lost, "scores lost")
    verdict.demand(old, "cells not holding what was typed last")
    verdict.demand(untold, "cells whose delivery does not say what is there")
    verdict.demand([cell for cell in there if cell not in levels], "grades nobody typed")
    still_open = [row for row in deliveries if row["state"] in ("waiting", "sending")]
    verdict.demand(still_open, "deliveries still open")


def _check_order(verdict: Verdict, journal: list[dict[str, Any]], deliveries: list[dict[str, Any]]) -> None:
    """Every request carries a delivery as it was written, each is applied at most once, and in the order written."""
    written = {(row["cell"], row["timestamp"]): row for row in deliveries}
    foreign, doubled, disordered = [], [], []
    last: dict[Cell, dict[str, Any]] = {}
    times: defaultdict[int, int] = defaultdict(int)
    for line in journal:
        cell = line["course"], line["tag"], line["sub"]
        row = written.get((cell, line["timestamp"]))
        if row is None or (row["score"], row["comment"]) != (line["score"], line["comment"]):
            foreign.append((line, row))
            continue
        if not line["applied"]:
            continue
        times[row["id"]] += 1
        if times[row["id"]] > 1:
            doubled.append(line)
        before = last.get(cell)
        if before is not None and (before["id"] >= row["id"] or before["timestamp"] >= row["timestamp"]):
            disordered.append((line, before))
        last[cell] = row
    verdict.demand(foreign, "scores posted otherwise than they were written")
    verdict.demand(doubled, "scores applied twice")
    verdict.demand(disordered, "scores applied out of order")


def _check_columns(verdict: Verdict, report: dict[str, Any], levels: dict[Cell, tuple[int, int]]) -> None:
    made = [(column["course"], column["tag"]) for column in report["columns"].values()]
    wanted = {(course, code) for course, code, _sub in levels}
    verdict.demand([name for name in wanted if made.count(name) != 1], "columns missing, or made twice")
    verdict.demand([name for name in made if name not in wanted], "columns nobody needs")
