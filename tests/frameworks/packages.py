"""A CASE 1.0 package as other tools write them, to be bent by the tests, and random referentials."""

from __future__ import annotations

import dataclasses
import uuid
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from lti_tool.frameworks.data import (
    ITEM_TYPES,
    ItemData,
    LinkData,
    ReferentialData,
    RetiredItem,
    SeeAlsoData,
    names,
)

DOCUMENT = "cccccccc-0000-4000-8000-000000000000"


def of(number: int) -> str:
    """The identifier of the package's item of that number."""
    return f"cccccccc-0000-4000-8000-{number:012d}"


def link(identifier: str, title: str = "") -> dict[str, str]:
    return {
        "title": title,
        "identifier": identifier,
        "uri": f"https://salt.example.org/uri/{identifier}",
    }


def association(type_: str, origin: str, destination: str, **more: Any) -> dict[str, Any]:
    return {
        "identifier": str(uuid.uuid5(uuid.UUID(DOCUMENT), f"{type_} {origin} {destination}")),
        "associationType": type_,
        "originNodeURI": link(origin),
        "destinationNodeURI": link(destination),
        "lastChangeDateTime": "2021-05-04T10:00:00+00:00",
        **more,
    }


def salt() -> dict[str, Any]:
    """A package as OpenSALT writes them: CASE 1.0, a domain of two standards, one of which has a component.

    The domain has no `isChildOf`; properties that we have no use for, and nulls, are there.
    """
    return {
        "@context": "https://purl.imsglobal.org/spec/case/v1p0/context/imscasev1p0_context_v1p0.jsonld",
        "CFDocument": {
            "identifier": DOCUMENT,
            "uri": f"https://salt.example.org/uri/{DOCUMENT}",
            "CFPackageURI": link(DOCUMENT),
            "creator": "Académie d’essai",
            "title": "Accueil & vente, niveau 1",
            "description": "Un référentiel d’essai",
            "lastChangeDateTime": "2021-05-04T10:00:00+00:00",
            "language": "fr",
            "version": None,
            "adoptionStatus": "Draft",
            "_opensalt": {"assignedGroups": []},
        },
        "CFItems": [
            item(1, "Accueillir", CFItemType="Domain", humanCodingScheme="A"),
            item(2, "Saluer le client", CFItemType="Standard", humanCodingScheme="A.1"),
            item(3, "Sourire", CFItemType="Component", educationLevel=["10"]),
            item(4, "Écouter le client", CFItemType=None, humanCodingScheme="A.2"),
        ],
        "CFAssociations": [
            association("isChildOf", of(4), of(1), sequenceNumber=2),
            association("isChildOf", of(2), of(1), sequenceNumber=1),
            association("isChildOf", of(3), of(2), sequenceNumber=None),
            association("exemplar", of(2), of(4)),
        ],
        "CFDefinitions": {"CFConcepts": [], "CFItemTypes": [], "CFAssociationGroupings": None},
        "CFRubrics": [],
    }


def item(number: int, statement: str, **more: Any) -> dict[str, Any]:
    return {
        "identifier": of(number),
        "uri": f"https://salt.example.org/uri/{of(number)}",
        "CFDocumentURI": link(DOCUMENT),
        "fullStatement": statement,
        "lastChangeDateTime": "2021-05-04T10:00:00+00:00",
        "notes": None,
        **more,
    }


# ----- random referentials -----

CHARACTERS = st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"))
WORDS = st.text(CHARACTERS, min_size=1, max_size=12).filter(lambda text: text.strip())
CODES = st.sampled_from(["", "1", "2", "1A", "1B", "4B.3", "Bloc 1"])
TYPES = st.sampled_from(ITEM_TYPES)
IDENTIFIERS = st.integers(min_value=0, max_value=2**122 - 1).map(
    lambda number: str(uuid.UUID(int=(number << 6) | 1, version=4))
)


@st.composite
def items(draw: st.DrawFn, identifiers: Any, levels: int = 3, retired: bool = False) -> list[ItemData]:
    """A list of items and what is below them; the retired ones last, as the database gives them back."""
    found = []
    for _ in range(draw(st.integers(0 if levels < 3 else 1, 3))):
        gone = retired or draw(st.integers(0, 9)) == 0
        found.append(
            (RetiredItem if gone else ItemData)(
                uuid=draw(identifiers),
                type=draw(TYPES),
                code=draw(CODES),
                label=draw(st.one_of(st.just(""), WORDS)),
                statement=draw(WORDS),
                notes=draw(st.lists(WORDS, max_size=2)),
                also_under=[],
                pairing_unknown=False,
                items=draw(items(identifiers, levels - 1, gone)) if levels else [],
                line=0,
                replaced_by=draw(st.one_of(st.just(""), identifiers)) if gone else "",
            )
        )
    return sorted(found, key=lambda one: isinstance(one, RetiredItem))


@st.composite
def elsewhere(draw: st.DrawFn, tree: list[ItemData]) -> list[ItemData]:
    """The items, some of which belong to other parts too: those that a code names, a group before any other."""
    force = [i for top in tree for i in top.walk() if i.code and not isinstance(i, RetiredItem)]
    parts: dict[str, str] = {}
    for one in sorted(force, key=lambda one: one.type != "competence_group"):
        parts.setdefault(one.code, one.uuid)

    def filled(one: ItemData, parent: str) -> ItemData:
        codes = [code for code, uuid_ in parts.items() if uuid_ != parent]
        also = draw(st.lists(st.sampled_from(codes), max_size=2, unique=True)) if codes else []
        below = [filled(child, one.uuid) for child in one.items]
        return dataclasses.replace(one, also_under=also, items=below)

    return [filled(one, "") for one in tree]


@st.composite
def referentials(draw: st.DrawFn, others: tuple[tuple[str, str], ...] = ()) -> ReferentialData:
    """A valid referential whose links lead to its own items or to `others` (identifier and slug)."""
    seen: set[str] = set()
    fresh = IDENTIFIERS.filter(lambda one: not (one in seen or seen.add(one)))  # type: ignore[func-returns-value]
    document, tree = draw(fresh), draw(elsewhere(draw(items(fresh))))
    every = [one for top in tree for one in top.walk()]
    by_uuid = names(every)
    ends = [(uuid_, "essai") for uuid_ in by_uuid] + list(others)
    links, linked = [], set()
    for name in draw(st.lists(st.sampled_from(sorted(by_uuid.values())), max_size=3)) if by_uuid else []:
        chosen = draw(st.lists(st.sampled_from(ends), min_size=1, max_size=3, unique=True))
        slug = chosen[0][1]
        destinations = [(end, 0) for end, at in chosen if at == slug and (name, end) not in linked]
        linked |= {(name, end) for end, _where in destinations}
        if destinations:
            links.append(LinkData(name, slug, draw(st.one_of(st.just(""), WORDS)), destinations, 0))
    see_also = [
        SeeAlsoData(name, side, draw(TYPES), to, draw(WORDS), 0)
        for name in sorted(by_uuid.values())[:2]
        for side, to in draw(st.lists(st.tuples(WORDS, st.sampled_from([[], [name]])), max_size=1))
    ]
    return ReferentialData(
        path=Path("essai.yaml"),
        slug="essai",
        uuid=document,
        title=draw(WORDS),
        short_title=draw(WORDS),
        language=draw(st.sampled_from(["fr", "en", "pt-BR"])),
        version=draw(st.sampled_from(["1", "2026-09-01"])),
        position=draw(st.integers(0, 9)),
        source=draw(source()),
        guide=draw(st.dictionaries(WORDS, WORDS, max_size=1)),
        items=tree,
        links=links,
        see_also=see_also,
        checksum=draw(st.text("0123456789abcdef", min_size=64, max_size=64)),
    )


@st.composite
def source(draw: st.DrawFn) -> dict[str, str]:
    """Where a text comes from, as a package can say it: a description, who made it, where it is."""
    return draw(
        st.fixed_dictionaries(
            {},
            optional={
                "title": WORDS,
                "publisher": WORDS,
                "url": st.just("https://example.org/texte"),
            },
        )
    )
