"""Referentials as pages read them: the real ones, and a handful of queries each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from lti_tool.db import db
from lti_tool.errors import NotFound
from lti_tool.frameworks.models import Framework, FrameworkItem, SeeAlso
from lti_tool.frameworks.sheets import (
    LINKED_TYPES,
    Branch,
    children,
    competences,
    find_competence,
    find_framework,
    find_item,
    groups,
    linked_frameworks,
    linked_items,
    outline,
    place,
    prepared_by,
)
from lti_tool.frameworks.sides import Part, Sheet, Side, sheet, sheets

pytestmark = pytest.mark.usefixtures("in_app")


def seconde() -> Framework:
    return find_framework(db.session, "mrc-seconde")


def sheet_of(code: str) -> Sheet:
    return sheet(db.session, find_competence(db.session, seconde().id, code))


def side_of(code: str, type_: str, slug: str) -> Side:
    row = next(row for row in sheet_of(code).rows if row.type == type_)
    return next(side for side in row.sides if side.framework.slug == slug)


def shown(parts: list[Part]) -> list[tuple[list[str], list[tuple[str, list[str]]]]]:
    """Parts by their codes, entries by their statements."""
    return [
        (
            [item.code for item in part.items],
            [(entry.item.statement, [below.statement for below in entry.below]) for entry in part.entries],
        )
        for part in parts
    ]


def statement(text: str, slug: str = "mcv") -> FrameworkItem:
    return db.session.scalars(
        sa.select(FrameworkItem)
        .join(Framework)
        .where(Framework.slug == slug, FrameworkItem.statement == text)
    ).one()


@contextmanager
def at_most(queries: int) -> Iterator[None]:
    """Fails when more queries than that are made inside."""
    made: list[str] = []

    def count(_connection: object, _cursor: object, text: str, *_more: object) -> None:
        if text.startswith(("SELECT", "WITH")):
            made.append(text)

    sa.event.listen(db.engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", count)
    assert len(made) <= queries, "\n\n".join(made)


# ----- finding -----


def test_the_groups_hold_the_ten_competences_in_order() -> None:
    found = groups(db.session, seconde().id)

    assert [[item.code for item in group.competences] for group in found] == [
        ["1A", "1B", "1C", "1D"],
        ["2A", "2B", "2C"],
        ["3A", "3B", "3C"],
    ]
    assert [item.code for item in competences(db.session, seconde().id)][0::9] == ["1A", "3C"]


def test_what_is_unknown_is_not_found() -> None:
    with pytest.raises(NotFound):
        find_framework(db.session, "unknown")
    with pytest.raises(NotFound):
        find_competence(db.session, seconde().id, "9Z")
    with pytest.raises(NotFound):
        find_item(db.session, "11111111-1111-4111-8111-111111111111")


def test_a_code_names_the_competence_in_use_before_a_retired_one() -> None:
    present = find_competence(db.session, seconde().id, "1C")
    db.session.add(
        FrameworkItem(
            uuid="11111111-1111-4111-8111-111111111111",
            framework_id=seconde().id,
            parent_id=present.parent_id,
            position=0,
            type="competence",
            code="1C",
            statement="Ancienne",
            retired=True,
        )
    )
    db.session.flush()

    assert find_competence(db.session, seconde().id, "1C").id == present.id
    present.retired = True
    db.session.flush()
    assert find_competence(db.session, seconde().id, "1C").retired is True


def test_the_seconde_leads_to_ma_and_mcv_and_they_lead_nowhere() -> None:
    assert [one.slug for one in linked_frameworks(db.session, seconde().id)] == ["ma", "mcv"]
    assert linked_frameworks(db.session, find_framework(db.session, "ma").id) == []


def test_children_and_linked_items_come_by_parent_and_in_order() -> None:
    first, second = competences(db.session, seconde().id)[:2]

    subs = children(db.session, [first, second], "subcompetence")
    criteria = linked_items(db.session, [first.id, second.id], "criterion")

    assert [len(subs[item.id]) for item in (first, second)] == [2, 3]
    assert [item.statement for item in criteria[first.id]][:2] == [
        "Les activités et les priorités sont repérées",
        "La collaboration et l’organisation permettent fluidité et efficacité dans la réalisation des activités",
    ]


# ----- a competence -----


def test_a_sheet_has_a_row_per_type_and_a_side_per_referential() -> None:
    found = sheet_of("1C")

    assert found.group is not None
    assert (found.group.code, len(found.subcompetences)) == ("1", 4)
    assert [row.type for row in found.rows] == list(LINKED_TYPES)
    assert {tuple(side.framework.slug for side in row.sides) for row in found.rows} == {("ma", "mcv")}


def test_the_rows_stand_on_the_three_sheets_of_the_source_in_its_order() -> None:
    assert {theme.name: [row.type for row in theme.rows] for theme in sheet_of("1C").themes} == {
        "skills": ["competence", "behaviour"],
        "knowledge": ["knowledge", "resource", "relation"],
        "evaluation": ["expected_result", "criterion"],
    }


def test_the_counts_are_those_of_the_mock_up() -> None:
    counts = {row.type: [side.count for side in row.sides] for row in sheet_of("1C").rows}

    assert counts == {
        "competence": [3, 6],
        "criterion": [5, 3],
        "behaviour": [0, 2],
        "knowledge": [3, 6],
        "resource": [1, 2],
        "relation": [2, 1],
        "expected_result": [3, 1],
    }


def test_competences_stand_under_their_bloc_with_the_linked_sub_competences_only() -> None:
    assert shown(side_of("1C", "competence", "mcv").parts) == [
        (
            ["Groupe 1"],
            [
                (
                    "Réaliser la vente dans un cadre omnicanal",
                    [
                        "Intégrer l’omnicanal dans le processus de vente",
                        "S’adapter au contexte commercial et au comportement du client",
                        "Découvrir, analyser et identifier le(s) besoin(s) du client, sa (ses) motivation(s) "
                        "et ses freins éventuels",
                        "Découvrir, analyser et reformuler les besoins du client",
                    ],
                )
            ],
        ),
        (
            ["Groupe 4A"],
            [
                (
                    "Rendre l’unité commerciale attractive et fonctionnelle",
                    ["Accueillir, informer et orienter le client dans l’unité commerciale et à l’extérieur"],
                )
            ],
        ),
        (
            ["Groupe 4B"],
            [("Mettre en œuvre une opération de prospection", ["Identifier les besoins du prospect."])],
        ),
    ]


def test_a_statement_of_two_groupes_is_under_both_together() -> None:
    parts = shown(side_of("1A", "behaviour", "mcv").parts)

    assert (["Groupe 1", "Groupe 4B"], [("Respecter les principes déontologiques", [])]) in parts


def test_a_limit_that_narrows_no_linked_knowledge_stands_by_itself() -> None:
    ((head, entries),) = shown(side_of("2C", "knowledge", "ma").parts)[-1:]

    assert head == ["Bloc 3"]
    assert ("Les enjeux, démarche et outils de la relation client et de la relation usager", []) in entries
    assert shown(side_of("2C", "knowledge", "mcv").parts)[-1] == (
        [],
        [("Les méthodes de mesure et d’analyse de la satisfaction", [])],
    )


def test_a_see_also_of_three_competences_is_one_reference_that_leaves_out_its_own_page() -> None:
    found = [
        (reference.text, [item.code for item in reference.destinations])
        for reference in side_of("1C", "knowledge", "ma").see_also
    ]

    assert found == [("Voir aussi les savoirs liés aux compétences 1A à 1C", ["1A", "1B"])]


def test_a_plain_remark_leads_nowhere_and_a_reference_of_the_whole_competence_is_apart() -> None:
    (remark,) = side_of("1A", "behaviour", "mcv").see_also
    assert remark.destinations == []

    (reference,) = sheet_of("2B").see_also
    assert [item.code for item in reference.destinations] == ["3"]


def test_every_link_and_every_reference_is_on_a_sheet() -> None:
    for competence in competences(db.session, seconde().id):
        found = sheet(db.session, competence)
        sides = [side for row in found.rows for side in row.sides]
        entries = [entry for side in sides for part in side.parts for entry in part.entries]
        linked = db.session.scalars(
            sa.text("select destination_id from item_association where origin_id = :id"),
            {"id": competence.id},
        )
        references = db.session.scalars(sa.select(SeeAlso.text).where(SeeAlso.origin_id == competence.id))

        assert sorted(i.id for e in entries for i in [e.item, *e.below]) == sorted(linked)
        assert {r.text for side in sides for r in side.see_also} | {r.text for r in found.see_also} == set(
            references
        )


def test_a_retired_statement_is_on_no_sheet() -> None:
    statement("Faire preuve d’empathie et d’écoute active").retired = True
    db.session.flush()

    assert side_of("1C", "behaviour", "mcv").count == 1


def test_a_sheet_is_a_handful_of_queries() -> None:
    competence = find_competence(db.session, seconde().id, "3A")
    db.session.commit()
    db.session.expunge_all()

    with at_most(5):
        found = sheet(db.session, competence)
        assert [s.framework.short_title for row in found.rows for s in row.sides][:2] == ["MA", "MCV"]
        assert all(r.destinations is not None for row in found.rows for s in row.sides for r in s.see_also)


def test_all_the_sheets_say_what_each_says_alone_and_cost_what_one_costs() -> None:
    ten = competences(db.session, seconde().id)
    alone = [sheet(db.session, competence) for competence in ten]
    ids = [competence.id for competence in ten]
    db.session.expunge_all()
    ten = [db.session.get_one(FrameworkItem, id_) for id_ in ids]

    with at_most(5):
        together = sheets(db.session, ten)

    def said(one: Sheet) -> list[object]:
        return [
            (row.type, side.framework.slug, shown(side.parts), [r.text for r in side.see_also])
            for row in one.rows
            for side in row.sides
        ]

    assert [said(one) for one in together] == [said(one) for one in alone]


def test_sheets_of_some_types_hold_nothing_else() -> None:
    ten = competences(db.session, seconde().id)

    some = sheets(db.session, ten, ("competence", "subcompetence"))

    for whole, one in zip(sheets(db.session, ten), some, strict=True):
        assert [side.count for side in one.rows[0].sides] == [side.count for side in whole.rows[0].sides]
        assert sum(side.count for row in one.rows[1:] for side in row.sides) == 0


def test_a_competence_that_leads_nowhere_has_no_sheet_alone_and_empty_ones_beside_others() -> None:
    first, second = competences(db.session, seconde().id)[:2]
    db.session.execute(sa.text("delete from item_association where origin_id = :id"), {"id": first.id})

    assert (sheet(db.session, first).sides, sheet(db.session, first).themes) == ([], [])
    beside, _other = sheets(db.session, [first, second])
    assert [side.slug for side in beside.sides] == ["ma", "mcv"]
    assert sum(side.count for row in beside.rows for side in row.sides) == 0


# ----- a referential, a statement -----


def kinds_of(branch: Branch) -> dict[str, list[str]]:
    return {kind.type: [entry.item.statement for entry in kind.entries] for kind in branch.kinds}


def test_an_outline_has_a_branch_per_part_then_what_is_under_none() -> None:
    branches = outline(db.session, find_framework(db.session, "mcv").id)

    assert [branch.item.code if branch.item else None for branch in branches] == [
        "Groupe 1",
        "Groupe 2",
        "Groupe 3",
        "Groupe 4A",
        "Groupe 4B",
        None,
    ]
    assert kinds_of(branches[0])["competence"] == [
        "Assurer la veille commerciale",
        "Réaliser la vente dans un cadre omnicanal",
        "Assurer l’exécution de la vente",
    ]
    assert "Relations externes\u00a0: Client, prospects" in kinds_of(branches[-1])["relation"]


def test_a_statement_of_two_groupes_is_in_both_branches() -> None:
    branches = outline(db.session, find_framework(db.session, "mcv").id)

    holding = [
        branch.item.code if branch.item else None
        for branch in branches
        if "Respecter les principes déontologiques" in kinds_of(branch).get("behaviour", [])
    ]
    assert holding == ["Groupe 1", "Groupe 4B"]


@pytest.mark.parametrize("slug", ["ma", "mcv"])
def test_an_outline_holds_every_statement_in_one_query(slug: str) -> None:
    framework = find_framework(db.session, slug)
    every = {
        item.id
        for item in db.session.scalars(
            sa.select(FrameworkItem).where(
                FrameworkItem.framework_id == framework.id, FrameworkItem.type != "competence_group"
            )
        )
    }

    with at_most(1):
        branches = outline(db.session, framework.id)

    entries = [entry for branch in branches for kind in branch.kinds for entry in kind.entries]
    assert {item.id for entry in entries for item in [entry.item, *entry.below]} == every


def test_a_sub_competence_stands_in_its_competence_and_its_groupe() -> None:
    item = statement("Prendre contact avec le client")

    found = place(db.session, item, seconde().id)

    assert [above.code for above in found.ancestors] == ["Groupe 1", "1.2"]
    assert (found.also_under, found.branch.kinds) == ([], [])
    assert [competence.code for competence in found.prepared_by] == ["1A"]


def test_a_competence_is_prepared_by_whatever_prepares_something_below_it() -> None:
    found = place(db.session, statement("Réaliser la vente dans un cadre omnicanal"), seconde().id)

    assert [competence.code for competence in found.prepared_by] == ["1A", "1B", "1C", "1D"]
    assert len(found.branch.kinds[0].entries) == 10


def test_a_groupe_is_prepared_through_its_statements_and_shows_them() -> None:
    found = place(db.session, statement("Conseiller et vendre"), seconde().id)

    assert {"1A", "1B", "1C", "1D", "3A"} <= {competence.code for competence in found.prepared_by}
    assert [kind.type for kind in found.branch.kinds] == list(LINKED_TYPES)


def test_a_statement_of_two_groupes_says_the_other_one() -> None:
    found = place(db.session, statement("Respecter les principes déontologiques"), seconde().id)

    assert [above.code for above in found.ancestors] == ["Groupe 1"]
    assert [head.code for head in found.also_under] == ["Groupe 4B"]


def test_a_knowledge_shows_its_limits() -> None:
    found = place(db.session, statement("Les méthodes de vente"), seconde().id)

    assert [e.item.statement for e in found.branch.kinds[0].entries] == [
        "Les différentes méthodes de vente (la vente de contact, la vente visuelle, la vente à distance)",
        "La prise en compte de l’omnicanal dans les méthodes de vente",
    ]


def test_only_the_asked_referential_prepares_a_statement() -> None:
    item = statement("Prendre contact avec le client")

    assert prepared_by(db.session, item, find_framework(db.session, "ma").id) == []


def test_every_linked_statement_is_prepared_by_a_competence() -> None:
    ids = set(db.session.scalars(sa.text("select distinct destination_id from item_association")))
    unprepared = [
        item.statement
        for item in db.session.scalars(
            sa.select(FrameworkItem).where(FrameworkItem.id.in_(sorted(ids)[::25]))
        )
        if not prepared_by(db.session, item, seconde().id)
    ]

    assert unprepared == []
