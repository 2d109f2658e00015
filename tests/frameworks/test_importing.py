"""A CASE package as others write them is read; a broken file is refused whole, each problem with its path or line."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lti_tool.db import db
from lti_tool.errors import ReferentialError
from lti_tool.frameworks.case import package
from lti_tool.frameworks.changes import changes
from lti_tool.frameworks.data import ReferentialData, RetiredItem, with_parents
from lti_tool.frameworks.importing import LARGEST_MB, Import, read_import
from lti_tool.frameworks.loading import write_referentials
from lti_tool.frameworks.reading import read_yaml

from .packages import DOCUMENT, association, item, link, of, salt
from .samples import BAC, SECONDE, changed, line_of

Package = dict[str, Any]
OTHER = "dddddddd-0000-4000-8000-000000000001"


def read(content: Package | str | bytes, held: tuple[ReferentialData, ...] = (), **options: Any) -> Import:
    if isinstance(content, dict):
        content = json.dumps(content)
    if isinstance(content, str):
        content = content.encode()
    return read_import(Path("package.json"), content, list(held), **options)


def problems(content: Package | str | bytes, held: tuple[ReferentialData, ...] = ()) -> list[str]:
    with pytest.raises(ReferentialError) as caught:
        read(content, held)
    assert caught.value.problems
    assert all(problem.startswith("package.json:") for problem in caught.value.problems)
    return [problem.removeprefix("package.json:") for problem in caught.value.problems]


def yaml(text: str) -> ReferentialData:
    return read_yaml(Path("essai.yaml"), text.encode())


def tree(data: ReferentialData) -> list[tuple[str, str, str]]:
    """Type, statement and parent's statement, depth first."""
    statements = {one.uuid: one.statement for one in data.walk()}
    return [(one.type, one.statement, statements.get(up, "")) for one, up in with_parents(data.items, "")]


# ----- which file it is -----


def test_our_yaml_and_a_package_are_told_by_their_content() -> None:
    assert not read(BAC).is_case
    assert read(salt()).is_case


def test_our_format_written_as_json_is_still_ours() -> None:
    item_ = {"id": of(1), "type": "competence", "code": "1A", "statement": "Saluer"}
    ours = {"slug": "x", "id": DOCUMENT, "title": "X", "short_title": "X", "language": "fr", "version": "1"}

    found = read({**ours, "items": [item_]})

    assert (found.is_case, found.data.slug, tree(found.data)) == (False, "x", [("competence", "Saluer", "")])


def test_a_byte_order_mark_is_passed_over() -> None:
    assert read(b"\xef\xbb\xbf" + json.dumps(salt()).encode()).is_case


# ----- tolerance -----


def test_a_package_of_opensalt_is_read_whole() -> None:
    found = read(salt())

    assert tree(found.data) == [
        ("competence_group", "Accueillir", ""),
        ("competence", "Saluer le client", "Accueillir"),
        ("subcompetence", "Sourire", "Saluer le client"),
        ("competence", "Écouter le client", "Accueillir"),
    ]
    assert [one.code for one in found.data.walk()] == ["A", "A.1", "", "A.2"]
    assert found.data.uuid == DOCUMENT
    assert found.left_aside == {"exemplar": 1}


def test_what_a_package_cannot_say_is_worked_out_for_a_new_referential() -> None:
    held = yaml(SECONDE.replace("to: bac", "to: essai").split("links:")[0])
    data = read(salt(), (held,)).data

    assert (data.slug, data.short_title) == ("accueil-vente-niveau-1", "Accueil & vente, niveau 1")
    assert (data.version, data.language, data.position) == ("2021-05-04", "fr", held.position + 1)
    assert data.source == {
        "title": "Un référentiel d’essai",
        "creator": "Académie d’essai",
        "date": "2021-05-04",
    }


def test_the_slug_may_be_chosen() -> None:
    assert read(salt(), slug="accueil").data.slug == "accueil"


def bent(change: Callable[[Package], object]) -> Package:
    """The package after a change."""
    found = salt()
    change(found)
    return found


TOLERATED: list[tuple[str, Callable[[Package], object]]] = [
    ("no association at all but the tree's", lambda p: p["CFAssociations"].pop()),
    ("null associations’ definitions", lambda p: p.update(CFDefinitions=None)),
    ("no definitions", lambda p: p.pop("CFDefinitions")),
    ("extra properties", lambda p: p["CFItems"][0].update(extensions={"x": [1]}, abbreviatedStatement=None)),
    ("upper-case identifiers", lambda p: p["CFItems"][1].update(identifier=of(2).upper())),
    ("upper-case document", lambda p: p["CFDocument"].update(identifier=DOCUMENT.upper())),
    ("ends given as identifiers", lambda p: p["CFAssociations"][1].update(originNodeURI=of(2))),
    (
        "ends given as addresses",
        lambda p: p["CFAssociations"][1].update(originNodeURI=f"https://x.org/{of(2)}"),
    ),
    (
        "an end without identifier",
        lambda p: p["CFAssociations"][1].update(originNodeURI={"uri": f"https://x.org/{of(2)}"}),
    ),
    ("numbers written as texts", lambda p: p["CFAssociations"][1].update(sequenceNumber="1")),
    ("a huge number", lambda p: p["CFAssociations"][0].update(sequenceNumber=10**300)),
    ("a child written twice", lambda p: p["CFAssociations"].append(p["CFAssociations"][0])),
    ("a root that says so", lambda p: p["CFAssociations"].append(association("isChildOf", of(1), DOCUMENT))),
    (
        "isParentOf",
        lambda p: p["CFAssociations"].__setitem__(
            1, association("isParentOf", of(1), of(2), sequenceNumber=1)
        ),
    ),
    ("ChildOf", lambda p: p["CFAssociations"][1].update(associationType="ChildOf")),
    ("is child of", lambda p: p["CFAssociations"][1].update(associationType="Is Child Of")),
    ("a number as a statement’s code", lambda p: p["CFItems"][2].update(listEnumeration=None)),
]  # fmt: skip


@pytest.mark.parametrize(("_why", "change"), TOLERATED, ids=[why for why, _change in TOLERATED])
def test_what_others_write_otherwise_gives_the_same_items(
    _why: str, change: Callable[[Package], object]
) -> None:
    assert tree(read(bent(change)).data) == tree(read(salt()).data)


@pytest.mark.parametrize("type_", ["isRelatedTo", "RelatedTo", "isrelatedto", "Is Related To"])
def test_links_are_read_however_their_type_is_written(type_: str) -> None:
    grouping = {"CFAssociationGroupingURI": {"title": "Proches", "identifier": of(9), "uri": "x"}}
    package_ = bent(lambda p: p["CFAssociations"].append(association(type_, of(2), of(4), **grouping)))

    (found,) = read(package_).data.links

    assert (found.origin, found.to_slug, found.grouping) == ("A.1", "accueil-vente-niveau-1", "Proches")
    assert [uuid for uuid, _where in found.destinations] == [of(4)]


def test_a_link_from_an_item_without_a_code_starts_from_its_identifier() -> None:
    package_ = bent(lambda p: p["CFAssociations"].append(association("isRelatedTo", of(3), of(4))))

    assert [one.origin for one in read(package_).data.links] == [of(3)]


def test_a_link_leads_to_the_referential_that_holds_its_destination() -> None:
    bac = yaml(BAC)
    package_ = bent(
        lambda p: p["CFAssociations"].append(association("isRelatedTo", of(2), bac.items[0].uuid))
    )

    assert [one.to_slug for one in read(package_, (bac,)).data.links] == ["bac"]


def test_children_are_in_the_order_of_their_numbers() -> None:
    package_ = bent(lambda p: p["CFAssociations"][0].update(sequenceNumber=0))

    assert [one.statement for one in read(package_).data.items[0].items] == [
        "Écouter le client",
        "Saluer le client",
    ]


def test_children_without_a_number_come_after_in_the_order_of_the_package() -> None:
    def change(p: Package) -> None:
        p["CFItems"] += [item(5, "Cinq"), item(6, "Six")]
        p["CFAssociations"] += [
            association("isChildOf", of(6), of(1)),
            association("isChildOf", of(5), of(1), sequenceNumber=None),
        ]

    top = read(bent(change)).data.items[0]

    assert [one.statement for one in top.items] == ["Saluer le client", "Écouter le client", "Cinq", "Six"]


def test_a_second_parent_is_another_part_it_belongs_to() -> None:
    def change(p: Package) -> None:
        p["CFItems"].append(item(5, "Vendre", CFItemType="Domain", humanCodingScheme="B"))
        p["CFAssociations"].append(association("isChildOf", of(2), of(5)))

    salute = read(bent(change)).data.items[0].items[0]

    assert (salute.statement, salute.also_under) == ("Saluer le client", ["B"])


TYPES = [
    ("Compétence", "competence"),
    ("competencies", "competence"),
    ("subcompetence", "subcompetence"),
    ("Sous-compétence", "subcompetence"),
    ("Savoirs associés", "knowledge"),
    ("Critère d’évaluation", "criterion"),
    ("Performance Indicator", "criterion"),
    ("Comportement professionnel", "behaviour"),
]


@pytest.mark.parametrize(("word", "type_"), TYPES)
def test_a_type_is_known_by_its_word(word: str, type_: str) -> None:
    package_ = bent(lambda p: p["CFItems"][3].update(CFItemType=word))

    assert read(package_).data.items[0].items[1].type == type_


def test_a_type_is_known_by_its_definition_before_its_word() -> None:
    def change(p: Package) -> None:
        p["CFItems"][3].update(CFItemType="Domain", CFItemTypeURI=link(of(90)))
        p["CFDefinitions"]["CFItemTypes"] = [{"identifier": of(90), "title": "X", "typeCode": "resource"}]

    assert read(bent(change)).data.items[0].items[1].type == "resource"


def test_unknown_types_are_placed_by_where_they_stand() -> None:
    def change(p: Package) -> None:
        for one in p["CFItems"]:
            one["CFItemType"] = "Machin"

    assert [type_ for type_, _statement, _up in tree(read(bent(change)).data)] == [
        "competence_group",
        "competence_group",
        "competence",
        "competence",
    ]


def test_an_item_of_a_type_we_do_not_know_keeps_the_type_it_has_here() -> None:
    stored = read(salt()).data

    def change(p: Package) -> None:
        for one in p["CFItems"]:
            one["CFItemType"] = "Machin"

    found = read(bent(change), (stored,))

    assert changes(stored, found.data).nothing


def test_a_code_that_is_too_long_keeps_its_end_and_is_a_note() -> None:
    package_ = bent(lambda p: p["CFItems"][3].update(humanCodingScheme="CCSS.Math.Content.K.CC.A.1"))

    listen = read(package_).data.items[0].items[1]

    assert (listen.code, listen.notes) == ("Content.K.CC.A.1", ["CCSS.Math.Content.K.CC.A.1"])


def test_a_statement_may_be_found_in_the_other_wordings() -> None:
    package_ = bent(lambda p: p["CFItems"][2].update(fullStatement=None, alternativeLabel="Sourire"))

    assert tree(read(package_).data) == tree(read(salt()).data)


@pytest.mark.parametrize(
    ("end", "retired"), [("2021-05-04", True), ("2026-11-01", True), ("2999-12-31", False)]
)
def test_an_item_whose_time_is_over_is_retired_with_what_is_below_it(end: str, retired: bool) -> None:
    data = read(bent(lambda p: p["CFItems"][1].update(statusEndDate=end))).data

    gone = [one.statement for one in data.walk() if isinstance(one, RetiredItem)]
    assert gone == (["Saluer le client", "Sourire"] if retired else [])


@pytest.mark.parametrize("ends", [("replacedBy", of(3), OTHER), ("replaces", OTHER, of(3))])
def test_what_replaces_an_item_is_known_even_when_it_is_elsewhere(ends: tuple[str, str, str]) -> None:
    data = read(bent(lambda p: p["CFAssociations"].append(association(*ends)))).data

    (smile,) = [one for one in data.walk() if one.uuid == of(3)]
    assert isinstance(smile, RetiredItem)
    assert smile.replaced_by == OTHER


def test_a_replacement_written_in_yaml_is_exported_and_read_back() -> None:
    heir = "11111111-1111-4111-8111-00000000001b"
    text = changed(SECONDE, '"Sourire"', f'"Sourire"\n            replaced_by: {heir}').split("links:")[0]
    data = yaml(text)

    exported = package(data, "https://x.org", [data])

    (replacement,) = [a for a in exported["CFAssociations"] if a["associationType"] == "replacedBy"]
    assert replacement["destinationNodeURI"]["title"] == "1B Écouter le client"
    assert changes(data, read(exported, (data,)).data).nothing


# ----- what CASE cannot say -----


def test_what_a_package_cannot_say_is_kept_beside_what_it_changes() -> None:
    bac = yaml(BAC)
    seconde = yaml(SECONDE)
    exported = package(seconde, "https://x.org", [seconde, bac])
    exported["CFItems"][1]["fullStatement"] = "Saluer chaque client"
    exported["CFItems"][1]["humanCodingScheme"] = "1Z"
    exported["CFDocument"]["title"] = "Seconde, revue"

    found = read(exported, (seconde, bac))

    coming = changes(seconde, found.data)
    assert [field.name for field in coming.document] == ["title"]
    assert [field.name for field in coming.changed[0].fields] == ["code", "statement"]
    assert (coming.links_added, coming.links_removed, coming.retired) == ([], [], [])
    assert [one.origin for one in found.data.see_also] == ["1B", "1Z"]
    assert found.data.see_also[0].to == ["1Z"]
    assert found.data.guide == seconde.guide


def test_a_source_keeps_its_parts_until_the_description_changes() -> None:
    parts = '{title: "Un texte", part_of: "Un tout", status: "Cité", date: "2019-07-08"}'
    seconde = yaml(changed(SECONDE.split("links:")[0], '{title: "Un texte"}', parts))
    exported = package(seconde, "https://x.org", [seconde])
    assert read(exported, (seconde,)).data.source == seconde.source

    exported["CFDocument"]["description"] = "Un autre texte"
    exported["CFDocument"]["publisher"] = "Un éditeur"

    assert read(exported, (seconde,)).data.source == {
        "title": "Un autre texte",
        "date": "2019-07-08",
        "publisher": "Un éditeur",
    }


def test_a_see_also_goes_with_the_item_it_starts_from_or_leads_to() -> None:
    bac, seconde = yaml(BAC), yaml(SECONDE)
    exported = package(seconde, "https://x.org", [seconde, bac])
    gone = exported["CFItems"][1]["identifier"]
    exported["CFItems"] = [
        one for one in exported["CFItems"] if one["fullStatement"] not in ("Saluer le client", "Sourire")
    ]
    exported["CFAssociations"] = [
        a
        for a in exported["CFAssociations"]
        if gone not in (a["originNodeURI"]["identifier"], a["destinationNodeURI"]["identifier"])
    ]

    assert read(exported, (seconde, bac)).data.see_also == []


# ----- refusals -----

BROKEN: list[tuple[Callable[[Package], object], str]] = [
    (lambda p: p.update(CFDocument=None), "CFDocument: must be an object"),
    (lambda p: p["CFDocument"].pop("identifier"), "CFDocument.identifier: is missing"),
    (lambda p: p["CFDocument"].update(title=" "), "CFDocument.title: is missing"),
    (lambda p: p["CFDocument"].update(title=["x"]), "CFDocument.title: must be a text"),
    (lambda p: p["CFDocument"].update(language="x" * 17), "CFDocument.language: longer than 16 characters"),
    (lambda p: p.update(CFItems=[]), "CFItems: holds no item"),
    (lambda p: p.update(CFItems={"a": 1}), "CFItems: must be a list"),
    (lambda p: p["CFItems"].__setitem__(2, "x"), "CFItems[2]: must be an object"),
    (
        lambda p: p["CFItems"][3].update(identifier="item-4"),
        "CFItems[3].identifier: « item-4 » is not a UUID",
    ),
    (
        lambda p: p["CFItems"][3].update(identifier=of(2).upper()),
        f"CFItems[3].identifier: {of(2)} is already used at CFItems[1]",
    ),
    (
        lambda p: p["CFItems"][3].update(identifier=DOCUMENT),
        f"CFItems[3].identifier: {DOCUMENT} is already used at CFDocument",
    ),
    (lambda p: p["CFItems"][3].update(fullStatement=""), "CFItems[3].fullStatement: is missing"),
    (
        lambda p: p["CFItems"][3].update(fullStatement="o" * 2001),
        "CFItems[3].fullStatement: longer than 2000 characters",
    ),
    (
        lambda p: p["CFItems"][3].update(fullStatement="a\0b"),
        "CFItems[3].fullStatement: « fullStatement » holds a character that cannot be stored (NUL, or half of a pair)",
    ),
    (
        lambda p: p["CFItems"][3].update(notes="a\ud800b"),
        "CFItems[3].notes: « notes » holds a character that cannot be stored (NUL, or half of a pair)",
    ),
    (
        lambda p: p["CFAssociations"][0].pop("associationType"),
        "CFAssociations[0].associationType: is missing",
    ),
    (
        lambda p: p["CFAssociations"][0].update(destinationNodeURI=7),
        "CFAssociations[0].destinationNodeURI: must be a link (identifier, uri, title)",
    ),
    (
        lambda p: p["CFAssociations"][0].update(destinationNodeURI=link(OTHER)),
        f"CFAssociations[0].destinationNodeURI: {OTHER} is neither an item of this package nor its document",
    ),
    (
        lambda p: p["CFAssociations"][0].update(originNodeURI=link(OTHER)),
        f"CFAssociations[0].originNodeURI: {OTHER} is not an item of this package",
    ),
    (
        lambda p: p["CFAssociations"][0].update(destinationNodeURI=link(of(4))),
        f"CFAssociations[0]: {of(4)} is below itself",
    ),
    (
        lambda p: p["CFAssociations"].append(association("isChildOf", of(1), of(3))),
        f"CFAssociations[4]: {of(1)} is below itself",
    ),
    (
        lambda p: p["CFAssociations"].append(association("isRelatedTo", of(2), OTHER)),
        f"CFAssociations[4].destinationNodeURI: « {OTHER} » is an item of no referential known here",
    ),
    (
        lambda p: p["CFAssociations"].append(association("isRelatedTo", OTHER, of(2))),
        f"CFAssociations[4].originNodeURI: « {OTHER} » is not an item of this package",
    ),
    (
        lambda p: p["CFAssociations"].append(association("replacedBy", of(2), of(2))),
        "CFItems[1]: replaced_by: an item cannot replace itself",
    ),
]


@pytest.mark.parametrize(("change", "said"), BROKEN, ids=[said[:60] for _change, said in BROKEN])
def test_a_broken_package_is_refused_with_the_path_and_the_reason(
    change: Callable[[Package], object], said: str
) -> None:
    assert problems(bent(change)) == [said]


def test_every_problem_is_said_at_once() -> None:
    def change(p: Package) -> None:
        p["CFItems"][0]["identifier"] = "x"
        p["CFItems"][2]["fullStatement"] = None
        p["CFDocument"]["title"] = None

    said = problems(bent(change))

    assert {one.split(":")[0] for one in said} >= {
        "CFItems[0].identifier",
        "CFItems[2].fullStatement",
        "CFDocument.title",
    }


def test_links_to_unknown_items_may_be_left_aside() -> None:
    package_ = bent(lambda p: p["CFAssociations"].append(association("isRelatedTo", of(2), OTHER)))

    found = read(package_, leave_unknown_links=True)

    assert found.data.links == []
    assert len(found.unknown_links) == 1


def test_an_item_that_another_referential_holds_is_refused() -> None:
    bac = yaml(BAC)
    held = bac.items[0].uuid
    package_ = bent(lambda p: p["CFItems"].append(item(5, "Cinq") | {"identifier": held}))

    assert problems(package_, (bac,)) == [f"CFItems[4]: identifier {held} belongs to « bac » already"]


def test_a_slug_that_another_referential_has_is_refused() -> None:
    with pytest.raises(ReferentialError, match="the slug « bac » is that of « Bac d’essai » already: choose"):
        read(salt(), (yaml(BAC),), slug="bac")


@pytest.mark.parametrize("slug", ["A", "a b", "-a", "a/b", "é", "a" * 65])
def test_a_slug_is_lower_case_letters_figures_and_hyphens(slug: str) -> None:
    with pytest.raises(ReferentialError, match="^--slug: « "):
        read(salt(), slug=slug)
    assert read(salt(), slug="a" * 64).data.slug == "a" * 64


def test_a_slug_is_not_given_to_what_has_one() -> None:
    with pytest.raises(ReferentialError, match="this file says its slug itself: leave --slug out"):
        read(BAC, slug="x")
    with pytest.raises(ReferentialError, match="this referential is here as « bac »: leave --slug out"):
        read(package(yaml(BAC), "", []), (yaml(BAC),), slug="x")


def test_yaml_with_the_identifier_or_the_slug_of_another_is_refused() -> None:
    bac = yaml(BAC)
    assert problems(changed(BAC, "slug: bac", "slug: bac2"), (bac,)) == [
        f"1: the identifier {bac.uuid} is that of « Bac d’essai » already: choose another one"
    ]
    assert problems(changed(BAC, "id: 22222222-2222-4222-8222-222222222222", f"id: {OTHER}"), (bac,))[0] == (
        "1: the slug « bac » is that of « Bac d’essai » already: choose another one"
    )


def test_yaml_that_links_to_what_is_not_here_is_refused_with_its_line() -> None:
    assert problems(SECONDE) == [
        f"{line_of(SECONDE, 'from: 1A')}: there is no referential « bac » here: import it first",
        f"{line_of(SECONDE, 'from: 1B')}: there is no referential « bac » here: import it first",
    ]
    unknown = changed(SECONDE, "22222222-2222-4222-8222-0000000000c1", OTHER)
    assert problems(unknown, (yaml(BAC),)) == [
        f"{line_of(unknown, OTHER)}: {OTHER} is not an item of « bac »"
    ]


def test_a_link_may_lead_to_a_retired_item() -> None:
    bac = yaml(changed(BAC, '"Prendre contact"', f'"Prendre contact"\n        replaced_by: {OTHER}'))

    assert len(read(SECONDE, (bac,)).data.links) == 2


def deep_tree(levels: int) -> Package:
    found = salt()
    found["CFItems"] = [item(number, "x") for number in range(1, levels + 1)]
    found["CFAssociations"] = [association("isChildOf", of(n + 1), of(n)) for n in range(1, levels)]
    return found


def test_a_tree_is_at_most_32_levels_deep() -> None:
    assert len(list(read(deep_tree(32)).data.walk())) == 32
    assert problems(deep_tree(33)) == ["CFAssociations: nested too deeply: 33 levels, at most 32"]
    assert problems(deep_tree(3000))[0].startswith("CFAssociations: nested too deeply")


MANGLED = {
    "truncated": (json.dumps(salt())[:900], "1: not valid JSON"),
    "truncated on its third line": (json.dumps(salt(), indent=1)[:30], "2: not valid"),
    "an array bomb of 10 MB": ("[" * 10_000_000, " not a usable JSON file: nested too deeply"),
    "an object bomb of 10 MB": ('{"CFDocument":' * 700_000, " not a usable JSON file: nested too deeply"),
    "a YAML bomb": ("a: " + "[" * 1500, " nested too deeply"),
    "a number of 5000 figures": ('{"CFDocument": ' + "9" * 5000 + "}", " not a usable JSON file: a number"),
    "a YAML number of 5000 figures": (changed(SECONDE, "position: 7", f"position: {'9' * 5000}"), "7: « 999"),
    "a YAML number too large for a database": (
        changed(SECONDE, "position: 7", "position: 2147483648"),
        "7: « position » is too large",
    ),
    "a YAML date that is none": (changed(SECONDE, "position: 7", "position: 2026-13-45"), "7: « 2026-13-45 »"),
    "a YAML alias": ("slug: &a [*a]", "1: an alias (*) is used"),
    "laughs": ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", "1: an alias (*) is used"),
    "a YAML NUL": (b"slug: a\x00b", "1: not valid YAML"),
    "an escaped YAML NUL": (changed(BAC, '"Prendre contact"', '"a\\0b"'), "18: « statement » holds a character"),
    "a source that is a date": (
        changed(SECONDE, '{title: "Un texte"}', "{date: 2019-07-08}"),
        "8: « source » may hold texts",
    ),
    "a source that is not a number": (changed(SECONDE, '{title: "Un texte"}', "{x: .nan}"), "8: « source » may"),
    "a python object": ("!!python/object/apply:os.system ['x']", "1: "),
    "not UTF-8": (b"\xff\xfe{}", " not UTF-8 text (byte 0)"),
    "nothing": ("", "1: a mapping with slug, id, title"),
    "a list": ("[]", "1: a mapping with slug"),
    "null": ("null", "1: a mapping with slug"),
    "an empty object": ("{}", "1: « slug » is missing"),
    "only items": ('{"CFItems": []}', "CFDocument: must be an object"),
    "too large": (b" " * (LARGEST_MB * 1_000_000 + 1), f" larger than {LARGEST_MB} MB"),
}  # fmt: skip


@pytest.mark.parametrize("what", MANGLED)
def test_a_file_that_is_not_one_is_refused_in_a_sentence(what: str) -> None:
    content, said = MANGLED[what]

    assert problems(content)[0].startswith(said)


# ----- anything at all -----

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from([10**400, "", " ", "\0", "\ud800", of(1), of(2), DOCUMENT, of(2).upper(), "x" * 3000]),
    st.text(max_size=5),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where a value may be put: every key and every index."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, one in inner for place in ((*at, key), *places(one, (*at, key)))]


PLACES = places(salt())


@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=4))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_whatever_a_package_holds_it_is_written_or_refused_in_sentences(
    in_app: Flask, spoiled: list[tuple[tuple[Any, ...], Any]]
) -> None:
    package_ = salt()
    for place, value in spoiled:
        spot: Any = package_
        for key in place[:-1]:
            spot = spot[key] if isinstance(spot, dict) and key in spot else None
        if isinstance(spot, dict):
            spot[place[-1]] = value
    try:
        found = read(package_)
    except ReferentialError:
        return
    write_referentials(db.session, [found.data])
    db.session.flush()
    db.session.rollback()


@given(
    st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
@settings(max_examples=150, deadline=None)
def test_whatever_bytes_a_file_is_made_of_it_is_refused_in_sentences(content: bytes) -> None:
    assert problems(content)


@given(st.integers(0, len(SECONDE) - 1), st.text(min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_whatever_is_put_into_a_yaml_file_it_is_read_or_refused_in_sentences(at: int, text: str) -> None:
    content = (SECONDE[:at] + text + SECONDE[at:]).encode("utf-8", "surrogatepass")
    with contextlib.suppress(ReferentialError):
        assert read(content, (yaml(BAC),)).data.uuid
