"""The CASE package: what the specification asks of it, and what it says of the referential.

The shapes are those of `case_schema`.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from lti_tool.assessment.rubrics import package_with_rubrics
from lti_tool.db import db
from lti_tool.frameworks import case_objects as case
from lti_tool.frameworks.case import package
from lti_tool.frameworks.case_objects import RetiredItem
from lti_tool.frameworks.loading import load_referentials, read_all, shipped_referentials
from lti_tool.frameworks.models import Framework, FrameworkItem, ItemAssociation
from lti_tool.frameworks.reading import ITEM_TYPES, ItemData, ReferentialData
from lti_tool.frameworks.stored import stored_referential, stored_referentials

from .case_schema import problems
from .samples import BAC, SECONDE, changed, write

BASE = "https://spirale.example.org/outil"
SLUGS = ("mrc-seconde", "ma", "mcv")
ABSENT = object()
SUB = "11111111-1111-4111-8111-0000000001a1"

# ----- the shipped referentials -----


@pytest.fixture(scope="module")
def files() -> dict[str, ReferentialData]:
    return {data.slug: data for data in read_all(shipped_referentials())}


@pytest.fixture(scope="module")
def packages(files: dict[str, ReferentialData]) -> dict[str, dict[str, Any]]:
    return {slug: package_with_rubrics(data, BASE, files.values()) for slug, data in files.items()}


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
    assert problems(packages[slug]) == []
    assert packages[slug]["CFDocument"]["caseVersion"] == "1.1"


def test_the_schema_refuses_what_the_specification_does_not_allow(packages: dict[str, Any]) -> None:
    document, item, association = "CFDocument", ("CFItems", 1), ("CFAssociations", 0)
    level = ("CFRubrics", 1, "CFRubricCriteria", 9, "CFRubricCriterionLevels", 3)
    wrong: list[tuple[Any, str, Any]] = [
        (document, "creator", ABSENT),
        (document, "caseVersion", "1.0"),
        (document, "CFPackageURI", {}),
        (document, "lastChangeDateTime", "2019-07-08"),
        (document, "lastChangeDateTime", "2019-07-08T00:00:00"),
        (document, "officialSourceURL", "texte.pdf"),
        (document, "title", "Sur deux\nlignes"),
        (item, "CFDocumentURI", {}),
        (item, "notes", None),
        (item, "fullStatement", " "),
        (item, "identifier", "1A"),
        (item, "identifier", "C2DF4004-6E4A-4F2F-BED2-11A0DCC51A36"),
        (item, "statusEndDate", "2019-02-30"),
        (item, "statusEndDate", "20190708"),
        (item, "uri", "/CFItems/1A"),
        (association, "associationType", "RelatedTo"),
        (association, "sequenceNumber", "1"),
        (association, "originNodeURI", "https://example.org/"),
        ((*association, "originNodeURI"), "title", ABSENT),
        (("CFDefinitions", "CFItemTypes", 0), "description", ABSENT),
        ("CFDefinitions", "CFAssociationGroupings", []),
        ("CFDefinitions", "CFTypes", []),
        (level, "score", "4"),
        (level, "rubricCriterionId", "4"),
        (level, "colour", "vert"),
        ((), "CFDocument", ABSENT),
        ((), "extra", {}),
    ]
    # A few objects of each kind are enough, and quicker.
    few = {**packages["mrc-seconde"]}
    few |= {"CFItems": few["CFItems"][:2], "CFAssociations": few["CFAssociations"][:1]}
    assert problems(few) == []
    for where, name, value in wrong:
        broken = json.loads(json.dumps(few))
        target = broken
        for step in (where,) if isinstance(where, str) else where:
            target = target[step]
        if value is ABSENT:
            del target[name]
        else:
            target[name] = value
        assert len(problems(broken)) == 1, (where, name, value)


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
        "CFRubrics": (rubrics := exported.get("CFRubrics", [])),
        "CFRubricCriteria": (criteria := [c for r in rubrics for c in r["CFRubricCriteria"]]),
        "CFRubricCriterionLevels": [one for c in criteria for one in c["CFRubricCriterionLevels"]],
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


def test_the_scales_are_rubrics_of_the_referential_that_is_assessed(packages: dict[str, Any]) -> None:
    competences = [
        (item["identifier"], item["fullStatement"])
        for item in packages["mrc-seconde"]["CFItems"]
        if item["CFItemType"] == "Compétence"
    ]
    lsl_pro, lsu = packages["mrc-seconde"]["CFRubrics"]

    assert [(r["title"], r["description"]) for r in (lsl_pro, lsu)] == [
        ("LSL Pro", "Niveau à atteindre\u00a0: 3, maîtrisée."),
        ("LSU", "Niveau à atteindre\u00a0: 3, maîtrise satisfaisante."),
    ]
    assert len(competences) == 10
    for rubric, words in (
        (lsl_pro, ["non maîtrisée", "insuffisamment maîtrisée", "maîtrisée", "bien maîtrisée"]),
        (lsu, ["maîtrise insuffisante", "maîtrise fragile", "maîtrise satisfaisante", "très bonne maîtrise"]),
    ):
        criteria = rubric["CFRubricCriteria"]
        assert [(c["CFItemURI"]["identifier"], c["description"]) for c in criteria] == competences
        assert [c["position"] for c in criteria] == list(range(1, 11))
        assert {c["rubricId"] for c in criteria} == {rubric["identifier"]}
        for criterion in criteria:
            levels = criterion["CFRubricCriterionLevels"]
            assert [(one["score"], one["position"], one["quality"]) for one in levels] == [
                (n, n, word) for n, word in enumerate(words, 1)
            ]
            assert {one["rubricCriterionId"] for one in levels} == {criterion["identifier"]}
    # Written down, as for associations.
    assert lsl_pro["identifier"] == "63e144bd-2e64-5ad4-938c-9a3833971138"
    assert ["CFRubrics" in packages[slug] for slug in SLUGS] == [True, False, False]


def test_a_retired_competence_leaves_the_rubrics(files: dict[str, ReferentialData]) -> None:
    data = files["mrc-seconde"]
    first = data.items[0].items[0]
    retired = RetiredItem(**{f.name: getattr(first, f.name) for f in dataclasses.fields(ItemData)})
    group = dataclasses.replace(data.items[0], items=[retired, *data.items[0].items[1:]])

    changed_data = dataclasses.replace(data, items=[group, *data.items[1:]], links=[])
    exported = package_with_rubrics(changed_data, BASE)

    for rubric in exported["CFRubrics"]:
        rows = [c["CFItemURI"]["title"].split()[0] for c in rubric["CFRubricCriteria"]]
        assert rows == ["1B", "1C", "1D", "2A", "2B", "2C", "3A", "3B", "3C"]


def test_a_referential_of_ones_own_has_its_rubrics_unless_another_leads_to_it(
    samples: dict[str, ReferentialData],
) -> None:
    rows = [
        [c["CFItemURI"]["title"] for c in rubric["CFRubricCriteria"]]
        for rubric in package_with_rubrics(samples["essai"], BASE, samples.values())["CFRubrics"]
    ]

    assert rows == [["1A Saluer", "1B Écouter le client"]] * 2
    assert "CFRubrics" not in package_with_rubrics(samples["bac"], BASE, samples.values())
    assert len(package_with_rubrics(samples["bac"], BASE, [samples["bac"]])["CFRubrics"]) == 2


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

    assert problems(exported) == []
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

    assert problems(exported) == []
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
    assert json.dumps(package_with_rubrics(stored[slug], BASE, stored.values())) == json.dumps(packages[slug])


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

    assert problems(exported) == []
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
