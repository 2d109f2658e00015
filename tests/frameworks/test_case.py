"""The CASE package: what the specification asks of it, and what it says of the referential.

Source of the shapes: 1EdTech CASE 1.1, REST/JSON binding, the `CFPckg…DType` of `CFPackageDType`.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from lti_tool.db import db
from lti_tool.frameworks import case
from lti_tool.frameworks.case import RetiredItem, package
from lti_tool.frameworks.loading import load_referentials, read_all, shipped_referentials
from lti_tool.frameworks.models import Framework, FrameworkItem, ItemAssociation
from lti_tool.frameworks.reading import ITEM_TYPES, ItemData, ReferentialData
from lti_tool.frameworks.stored import stored_referential, stored_referentials

from .samples import BAC, SECONDE, changed, write

BASE = "https://spirale.example.org/outil"
SLUGS = ("mrc-seconde", "ma", "mcv")
SUB = "11111111-1111-4111-8111-0000000001a1"

# ----- the specification -----


def text(value: object) -> bool:
    return isinstance(value, str) and value.strip() != ""


def line(value: object) -> bool:
    """A NormalizedString."""
    return text(value) and not re.search(r"[\t\r\n]", str(value))


def identifier(value: object) -> bool:
    pattern = r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def uri(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"https?://[^\s]+", value) is not None


def moment(value: object) -> bool:
    return isinstance(value, str) and "T" in value and datetime.fromisoformat(value).tzinfo is not None


def day(value: object) -> bool:
    return isinstance(value, str) and date.fromisoformat(value).isoformat() == value


def number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31


def association_type(value: object) -> bool:
    return value in {
        "isChildOf",
        "isPeerOf",
        "isPartOf",
        "exactMatchOf",
        "precedes",
        "isRelatedTo",
        "replacedBy",
        "exemplar",
        "hasSkillLevel",
        "isTranslationOf",
    }


def version(value: object) -> bool:
    return value == "1.1"


LINK = ({"title": line, "identifier": identifier, "uri": uri}, {})
NAMED = {"identifier": identifier, "uri": uri, "lastChangeDateTime": moment}
DOCUMENT = (
    {**NAMED, "creator": line, "title": line},
    {
        "caseVersion": version,
        "frameworkType": line,
        "officialSourceURL": uri,
        "publisher": line,
        "description": text,
        "language": line,
        "version": line,
        "adoptionStatus": line,
        "statusStartDate": day,
        "statusEndDate": day,
        "notes": text,
    },
)
ITEM = (
    {**NAMED, "fullStatement": text},
    {
        "alternativeLabel": line,
        "CFItemType": line,
        "humanCodingScheme": line,
        "listEnumeration": line,
        "abbreviatedStatement": line,
        "notes": text,
        "language": line,
        "CFItemTypeURI": LINK,
        "statusStartDate": day,
        "statusEndDate": day,
    },
)
ASSOCIATION = (
    {**NAMED, "associationType": association_type, "originNodeURI": LINK, "destinationNodeURI": LINK},
    {"sequenceNumber": number, "CFAssociationGroupingURI": LINK, "notes": text},
)
ITEM_TYPE = ({**NAMED, "title": line, "description": text, "hierarchyCode": line}, {"typeCode": line})
GROUPING = ({**NAMED, "title": line}, {"description": text})
DEFINITIONS = ({}, {"CFItemTypes": [ITEM_TYPE], "CFAssociationGroupings": [GROUPING]})
PACKAGE = (
    {"CFDocument": DOCUMENT},
    {"CFItems": [ITEM], "CFAssociations": [ASSOCIATION], "CFDefinitions": DEFINITIONS},
)


def problems(value: Any, shape: Any, where: str = "CFPackage") -> list[str]:
    """What is wrong: a missing property, one that is not of the specification, a value of another form."""
    if callable(shape):
        return [] if shape(value) else [f"{where}: {value!r} is not a {shape.__name__}"]
    if isinstance(shape, list):
        if not value:
            return [f"{where}: empty"]
        return [p for i, one in enumerate(value) for p in problems(one, shape[0], f"{where}[{i}]")]
    required, optional = shape
    known = {**required, **optional}
    found = [f"{where}: {key} is missing" for key in required if key not in value]
    for key, inner in value.items():
        if key in known:
            found += problems(inner, known[key], f"{where}.{key}")
        else:
            found.append(f"{where}: {key} is not of CASE")
    return found


# ----- the shipped referentials -----


@pytest.fixture(scope="module")
def files() -> dict[str, ReferentialData]:
    return {data.slug: data for data in read_all(shipped_referentials())}


@pytest.fixture(scope="module")
def packages(files: dict[str, ReferentialData]) -> dict[str, dict[str, Any]]:
    return {slug: package(data, BASE, files.values()) for slug, data in files.items()}


def associations(exported: dict[str, Any], type_: str) -> list[dict[str, Any]]:
    return [a for a in exported["CFAssociations"] if a["associationType"] == type_]


def tree(exported: dict[str, Any]) -> dict[str, list[str]]:
    """The children of each node, in the order of their numbers."""
    found: dict[str, list[tuple[int, str]]] = {}
    for one in associations(exported, "isChildOf"):
        parent, child = one["destinationNodeURI"]["identifier"], one["originNodeURI"]["identifier"]
        found.setdefault(parent, []).append((one["sequenceNumber"], child))
    for children in found.values():
        assert sorted(n for n, _child in children) == list(range(1, len(children) + 1))
    return {parent: [child for _n, child in sorted(children)] for parent, children in found.items()}


@pytest.mark.parametrize("slug", SLUGS)
def test_a_package_has_the_shape_of_the_specification(slug: str, packages: dict[str, Any]) -> None:
    assert problems(packages[slug], PACKAGE) == []
    assert packages[slug]["CFDocument"]["caseVersion"] == "1.1"


def test_the_check_of_the_shape_sees_what_is_wrong(packages: dict[str, Any]) -> None:
    broken = json.loads(json.dumps(packages["ma"]))
    del broken["CFDocument"]["creator"]
    broken["CFItems"][0]["CFDocumentURI"] = {}
    broken["CFItems"][1]["notes"] = None
    broken["CFAssociations"][0]["originNodeURI"]["identifier"] = "1A"
    broken["CFDefinitions"]["CFAssociationGroupings"] = []

    assert [p.split(":")[0] for p in problems(broken, PACKAGE)] == [
        "CFPackage.CFDocument",
        "CFPackage.CFItems[0]",
        "CFPackage.CFItems[1].notes",
        "CFPackage.CFAssociations[0].originNodeURI.identifier",
        "CFPackage.CFDefinitions.CFAssociationGroupings",
    ]


@pytest.mark.parametrize("slug", SLUGS)
def test_every_item_of_the_file_is_there_once_word_for_word(
    slug: str, packages: dict[str, Any], files: dict[str, ReferentialData]
) -> None:
    found = [
        (
            i["identifier"],
            i["fullStatement"],
            i.get("abbreviatedStatement", ""),
            i.get("humanCodingScheme", ""),
            i.get("notes", ""),
        )
        for i in packages[slug]["CFItems"]
    ]

    assert found == [(i.uuid, i.statement, i.label, i.code, "\n".join(i.notes)) for i in files[slug].walk()]
    assert packages[slug]["CFDocument"]["identifier"] == files[slug].uuid


@pytest.mark.parametrize("slug", SLUGS)
def test_the_tree_of_the_associations_is_that_of_the_file_in_order(
    slug: str, packages: dict[str, Any], files: dict[str, ReferentialData]
) -> None:
    data = files[slug]
    groups = {i.code: i.uuid for i in data.walk() if i.type == "competence_group"}
    order = {item.uuid: n for n, item in enumerate(data.walk())}
    expected = {data.uuid: [item.uuid for item in data.items]}
    expected |= {item.uuid: [child.uuid for child in item.items] for item in data.walk() if item.items}
    for item in data.walk():
        for code in item.also_under:
            expected[groups[code]].append(item.uuid)

    assert tree(packages[slug]) == {
        parent: sorted(children, key=order.__getitem__) for parent, children in expected.items()
    }


def test_a_statement_of_several_parts_is_a_child_of_each(packages: dict[str, Any]) -> None:
    parents = Counter(a["originNodeURI"]["identifier"] for a in associations(packages["mcv"], "isChildOf"))

    # « Relations externes : client, prospects, prescripteurs, etc. »: Groupe 2, Groupe 3 and Groupe 4A.
    assert parents["aa23d111-d773-464a-a0bf-26d004d68ecc"] == 3
    assert Counter(parents.values()) == {1: 423, 2: 10, 3: 1}


def test_the_links_of_the_seconde_lead_to_items_of_the_two_other_packages(
    packages: dict[str, Any], files: dict[str, ReferentialData]
) -> None:
    titles = {
        i["identifier"]: i["fullStatement"] for slug in ("ma", "mcv") for i in packages[slug]["CFItems"]
    }
    links = associations(packages["mrc-seconde"], "isRelatedTo")

    assert len(links) == sum(len(link.destinations) for link in files["mrc-seconde"].links) == 892
    for link in links:
        node = link["destinationNodeURI"]
        assert node["title"].endswith(titles[node["identifier"]])
    assert [associations(packages[slug], "isRelatedTo") for slug in ("ma", "mcv")] == [[], []]


def test_the_links_are_in_a_grouping_per_side_and_numbered_in_the_sources_order(
    packages: dict[str, Any], files: dict[str, ReferentialData]
) -> None:
    exported = packages["mrc-seconde"]
    data = files["mrc-seconde"]
    codes = {item.uuid: item.code for item in data.walk()}

    assert [g["title"] for g in exported["CFDefinitions"]["CFAssociationGroupings"]] == [
        "Liens MA",
        "Liens MCV",
    ]
    assert [
        (
            codes[a["originNodeURI"]["identifier"]],
            a["CFAssociationGroupingURI"]["title"],
            a["sequenceNumber"],
            a["destinationNodeURI"]["identifier"],
        )
        for a in associations(exported, "isRelatedTo")
    ] == [
        (link.origin, link.grouping, n, destination)
        for link in data.links
        for n, (destination, _line) in enumerate(link.destinations, 1)
    ]


@pytest.mark.parametrize("slug", SLUGS)
def test_every_node_type_and_grouping_an_object_points_to_is_in_a_package(
    slug: str, packages: dict[str, Any]
) -> None:
    exported = packages[slug]
    nodes = {i["uri"]: i["identifier"] for one in packages.values() for i in one["CFItems"]}
    nodes |= {one["CFDocument"]["uri"]: one["CFDocument"]["identifier"] for one in packages.values()}
    defined = {
        one["uri"]: (one["identifier"], one["title"])
        for kind in exported["CFDefinitions"].values()
        for one in kind
    }

    for one in exported["CFAssociations"]:
        for end in (one["originNodeURI"], one["destinationNodeURI"]):
            assert nodes[end["uri"]] == end["identifier"]
        if grouping := one.get("CFAssociationGroupingURI"):
            assert defined[grouping["uri"]] == (grouping["identifier"], grouping["title"])
    for item in exported["CFItems"]:
        link = item["CFItemTypeURI"]
        assert defined[link["uri"]] == (link["identifier"], item["CFItemType"])


@pytest.mark.parametrize("slug", SLUGS)
def test_identifiers_are_unique_and_addresses_follow_from_them(slug: str, packages: dict[str, Any]) -> None:
    exported = packages[slug]
    kinds = {
        "CFDocuments": [exported["CFDocument"]],
        "CFItems": exported["CFItems"],
        "CFAssociations": exported["CFAssociations"],
        **exported["CFDefinitions"],
    }
    identifiers = [one["identifier"] for many in kinds.values() for one in many]

    assert len(set(identifiers)) == len(identifiers)
    for kind, many in kinds.items():
        for one in many:
            assert one["uri"] == f"{BASE}/ims/case/v1p1/{kind}/{one['identifier']}"


def test_an_association_keeps_its_identifier_from_one_package_to_another(packages: dict[str, Any]) -> None:
    found = [a["identifier"] for one in packages.values() for a in one["CFAssociations"]]

    assert len(set(found)) == len(found) == 43 + 892 + 187 + 446
    # Written down: another rule for identifiers would break what those who imported a package hold.
    assert associations(packages["mrc-seconde"], "isRelatedTo")[-1]["identifier"] == (
        "e290daf2-969c-5d3d-8c5e-dfc5c9907683"
    )
    assert packages["mrc-seconde"]["CFDefinitions"]["CFItemTypes"][0]["identifier"] == (
        "d90d8693-920b-5100-a13e-e96c9db2356b"
    )


@pytest.mark.parametrize("slug", SLUGS)
def test_each_type_used_is_defined_once_with_its_own_place_and_title(
    slug: str, packages: dict[str, Any], files: dict[str, ReferentialData]
) -> None:
    types = packages[slug]["CFDefinitions"]["CFItemTypes"]

    used = {item.type for item in files[slug].walk()}
    assert [one["typeCode"] for one in types] == [type_ for type_ in ITEM_TYPES if type_ in used]
    assert len({one["title"] for one in types}) == len({one["hierarchyCode"] for one in types}) == len(types)


def test_every_type_of_the_format_has_its_words() -> None:
    assert tuple(case.TYPES) == ITEM_TYPES


def test_the_date_is_the_texts_own(packages: dict[str, Any]) -> None:
    every = [packages["ma"]["CFDocument"], *packages["ma"]["CFItems"], *packages["ma"]["CFAssociations"]]

    assert {one["lastChangeDateTime"] for one in every} == {"2019-07-08T00:00:00+00:00"}


# ----- what a referential may say or not -----


@pytest.fixture
def samples(tmp_path: Path) -> dict[str, ReferentialData]:
    paths = [write(tmp_path, "essai.yaml", SECONDE), write(tmp_path, "bac.yaml", BAC)]
    return {data.slug: data for data in read_all(paths)}


def test_what_a_source_says_of_itself_is_in_the_document(samples: dict[str, ReferentialData]) -> None:
    source = {"title": "Un texte", "publisher": "Une académie", "url": "https://example.org/texte.pdf"}
    data = dataclasses.replace(samples["essai"], source=source)

    document = package(data, BASE)["CFDocument"]

    assert (document["creator"], document["publisher"]) == ("Une académie", "Une académie")
    assert document["officialSourceURL"] == "https://example.org/texte.pdf"
    assert document["description"] == "Un texte"


def test_a_referential_without_a_date_is_exported_the_same_each_time(
    samples: dict[str, ReferentialData],
) -> None:
    dated = dataclasses.replace(samples["bac"], source={"date": "2026-09-01"})

    assert package(samples["bac"], BASE)["CFDocument"]["lastChangeDateTime"] == "1970-01-01T00:00:00+00:00"
    assert package(dated, BASE)["CFDocument"]["lastChangeDateTime"] == "2026-09-01T00:00:00+00:00"


def test_a_link_out_of_any_grouping_names_none(samples: dict[str, ReferentialData]) -> None:
    exported = package(samples["essai"], BASE, samples.values())

    assert problems(exported, PACKAGE) == []
    assert ["CFAssociationGroupingURI" in a for a in associations(exported, "isRelatedTo")] == [
        True,
        True,
        False,
    ]


def test_a_link_starts_from_the_item_in_force_when_a_retired_one_had_its_code(
    samples: dict[str, ReferentialData],
) -> None:
    (group,) = samples["essai"].items
    values = {f.name: getattr(group.items[0], f.name) for f in dataclasses.fields(ItemData)}
    retired = RetiredItem(**{**values, "uuid": SUB, "items": []})
    data = dataclasses.replace(samples["essai"], items=[retired, group])

    origins = {a["originNodeURI"]["identifier"] for a in associations(package(data, BASE), "isRelatedTo")}

    assert SUB not in origins
    assert group.items[0].uuid in origins


def test_the_title_of_a_node_is_one_line(tmp_path: Path) -> None:
    (data,) = read_all(
        [write(tmp_path, "bac.yaml", changed(BAC, '"Prendre contact"', '"Prendre\\ncontact"'))]
    )

    exported = package(data, BASE)

    assert problems(exported, PACKAGE) == []
    assert exported["CFItems"][1]["fullStatement"] == "Prendre\ncontact"
    assert associations(exported, "isChildOf")[1]["originNodeURI"]["title"] == "1.1 Prendre contact"


# ----- from the database -----


def plain(data: ReferentialData) -> ReferentialData:
    """The data without what only a file has: its path and its lines."""

    def items(many: list[ItemData]) -> list[ItemData]:
        return [dataclasses.replace(one, line=0, items=items(one.items)) for one in many]

    return dataclasses.replace(
        data,
        path=Path(),
        items=items(data.items),
        links=[
            dataclasses.replace(link, line=0, destinations=[(d, 0) for d, _line in link.destinations])
            for link in data.links
        ],
        see_also=[dataclasses.replace(one, line=0) for one in data.see_also],
    )


@pytest.mark.parametrize("slug", SLUGS)
def test_the_database_gives_back_the_data_of_the_file(
    slug: str, in_app: Flask, files: dict[str, ReferentialData]
) -> None:
    stored = stored_referential(db.session, slug)

    assert stored is not None
    assert plain(stored) == plain(files[slug])


@pytest.mark.parametrize("slug", SLUGS)
def test_the_database_and_the_file_give_the_same_bytes(
    slug: str, in_app: Flask, packages: dict[str, Any]
) -> None:
    stored = {data.slug: data for data in stored_referentials(db.session)}

    assert tuple(stored) == SLUGS
    assert json.dumps(package(stored[slug], BASE, stored.values())) == json.dumps(packages[slug])


def test_a_referential_that_is_not_loaded_is_none(in_app: Flask) -> None:
    assert stored_referential(db.session, "essai") is None


def test_the_links_carry_the_identifiers_of_the_database(in_app: Flask, packages: dict[str, Any]) -> None:
    found = {a["identifier"] for a in associations(packages["mrc-seconde"], "isRelatedTo")}

    assert found == set(db.session.scalars(sa.select(ItemAssociation.uuid)))


def test_a_wording_changed_in_the_database_is_exported(in_app: Flask, packages: dict[str, Any]) -> None:
    competence = db.session.scalars(
        sa.select(FrameworkItem)
        .join(Framework)
        .where(Framework.slug == "mrc-seconde", FrameworkItem.code == "1A")
    ).one()
    competence.statement = "Prendre contact, autrement dit"
    db.session.flush()

    stored = stored_referential(db.session, "mrc-seconde")

    assert stored is not None
    exported, before = package(stored, BASE)["CFItems"], packages["mrc-seconde"]["CFItems"]
    assert [
        (one["identifier"], one["fullStatement"])
        for one, old in zip(exported, before, strict=True)
        if one != old
    ] == [(competence.uuid, "Prendre contact, autrement dit")]


def test_an_item_the_file_no_longer_has_ends_at_the_new_version(in_app: Flask, tmp_path: Path) -> None:
    bac = write(tmp_path, "bac.yaml", BAC)
    load_referentials(db.session, read_all([write(tmp_path, "essai.yaml", SECONDE), bac]))
    dated = changed(SECONDE, 'version: "1"', 'version: "2026-09-01"')
    # 1A goes with its sub-competence; a new 1A takes the code and the links.
    heir = "11111111-1111-4111-8111-0000000000ff"
    heirs = changed(dated, "id: 11111111-1111-4111-8111-00000000001a", f"id: {heir}")
    sub = f'        items:\n          - id: {SUB}\n            type: subcompetence\n            statement: "Sourire"\n'
    load_referentials(db.session, read_all([write(tmp_path, "essai.yaml", changed(heirs, sub, "")), bac]))

    stored = {data.slug: data for data in stored_referentials(db.session)}
    exported = package(stored["essai"], BASE, stored.values())

    assert problems(exported, PACKAGE) == []
    assert [(i["fullStatement"], i.get("statusEndDate")) for i in exported["CFItems"]] == [
        ("Accueillir", None),
        ("Saluer le client", None),
        ("Écouter le client", None),
        ("Saluer le client", "2026-09-01"),
        ("Sourire", "2026-09-01"),
    ]
    assert [type(i) for i in stored["essai"].walk()] == [
        ItemData,
        ItemData,
        ItemData,
        RetiredItem,
        RetiredItem,
    ]
    group, retired = "11111111-1111-4111-8111-000000000001", "11111111-1111-4111-8111-00000000001a"
    assert tree(exported)[group] == [heir, "11111111-1111-4111-8111-00000000001b", retired]
    assert tree(exported)[retired] == [SUB]
    assert {a["originNodeURI"]["identifier"] for a in associations(exported, "isRelatedTo")} == {
        heir,
        "11111111-1111-4111-8111-00000000001b",
    }
