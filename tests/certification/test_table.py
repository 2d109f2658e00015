"""docs/certification.md names every test of this folder, and only those."""

from __future__ import annotations

import re
from pathlib import Path

from lti_tool.config import shipped

FOLDER = Path(__file__).parent
ROW = re.compile(r"^\| (?P<line>[^|]+) \| `(?P<test>test_\w+)` \| (?P<result>[^|]+) \|$", re.M)


def written() -> dict[str, list[str]]:
    """The tests each file of the folder has."""
    return {
        file.name: re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.M)
        for file in sorted(FOLDER.glob("test_*.py"))
        if file.name != "test_table.py"
    }


def documented() -> dict[str, list[str]]:
    """The tests that each part of the document names, by the file its heading names."""
    text = shipped("docs", "certification.md").read_text(encoding="utf-8")
    parts = re.split(r"^## .*\(`tests/certification/(test_\w+\.py)`\)$", text, flags=re.M)
    return {
        name: [row["test"] for row in ROW.finditer(part)]
        for name, part in zip(parts[1::2], parts[2::2], strict=True)
    }


def test_each_line_of_the_list_is_in_the_document_in_its_order() -> None:
    assert documented() == written()
    assert sum(map(len, written().values())) > 60
