"""Two small referential files, one linked to the other, to be broken or corrected by the tests."""

from __future__ import annotations

from pathlib import Path

SECONDE = """\
slug: essai
id: 11111111-1111-4111-8111-111111111111
title: "Seconde d’essai"
short_title: "Essai"
language: fr
version: "1"
position: 7
source: {title: "Un texte"}
items:
  - id: 11111111-1111-4111-8111-000000000001
    type: competence_group
    code: "1"
    statement: "Accueillir"
    items:
      - id: 11111111-1111-4111-8111-00000000001a
        type: competence
        code: "1A"
        label: "Saluer"
        statement: "Saluer le client"
        items:
          - id: 11111111-1111-4111-8111-0000000001a1
            type: subcompetence
            statement: "Sourire"
      - id: 11111111-1111-4111-8111-00000000001b
        type: competence
        code: "1B"
        statement: "Écouter le client"
links:
  - from: 1A
    to: bac
    grouping: "Liens"
    items:
      - 22222222-2222-4222-8222-00000000000c
      - 22222222-2222-4222-8222-0000000000c1
  - from: 1B
    to: bac
    items:
      - 22222222-2222-4222-8222-00000000000c
see_also:
  - {from: 1B, side: bac, type: criterion, to: ["1A"], text: "Voir aussi 1A"}
  - {from: 1A, side: bac, type: behaviour, to: [], text: "À conserver"}
guide:
  reminder: "En situation simple."
"""

BAC = """\
slug: bac
id: 22222222-2222-4222-8222-222222222222
title: "Bac d’essai"
short_title: "Bac"
language: fr
version: "1"
position: 8
source: {title: "Un autre texte"}
items:
  - id: 22222222-2222-4222-8222-000000000001
    type: competence_group
    code: "Bloc 1"
    statement: "Gérer l’accueil"
    items:
      - id: 22222222-2222-4222-8222-00000000000c
        type: competence
        code: "1.1"
        statement: "Prendre contact"
      - id: 22222222-2222-4222-8222-0000000000c1
        type: criterion
        statement: "Les salutations sont adaptées"
        also_under: ["Bloc 2"]
        notes: ["Sur des situations simples"]
      - id: 22222222-2222-4222-8222-0000000000d1
        type: knowledge_limit
        statement: "Les règles de politesse"
        pairing: unknown
  - id: 22222222-2222-4222-8222-000000000002
    type: competence_group
    code: "Bloc 2"
    statement: "Gérer l’information"
"""


def write(folder: Path, name: str, text: str) -> Path:
    """A file of that text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def changed(text: str, old: str, new: str) -> str:
    """The text with its one `old` replaced; a test whose `old` is not there is wrong."""
    assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
    return text.replace(old, new)


def line_of(text: str, part: str) -> int:
    """The number of the first line that holds `part`."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)
