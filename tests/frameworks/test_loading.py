"""Loading referentials: found again by identifier, retired rather than deleted, links that follow the files."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from lti_tool.db import db
from lti_tool.errors import ReferentialError
from lti_tool.frameworks.loading import Loaded, load_referentials, read_all
from lti_tool.frameworks.models import Framework, FrameworkItem, ItemAssociation, SeeAlso
from lti_tool.frameworks.reading import read_referential
from tests import factories

from .samples import BAC, SECONDE, changed, write

SUB = "11111111-1111-4111-8111-0000000001a1"
CRITERION = "22222222-2222-4222-8222-0000000000c1"


@pytest.fixture
def load(in_app: Flask, tmp_path: Path):
    """Loads the two sample files, as they are given."""

    def _load(seconde: str = SECONDE, bac: str = BAC) -> list[Loaded]:
        paths = [write(tmp_path, "essai.yaml", seconde), write(tmp_path, "bac.yaml", bac)]
        loaded = load_referentials(db.session, read_all(paths))
        db.session.commit()
        return loaded

    return _load


def item(uuid: str) -> FrameworkItem:
    return db.session.scalars(sa.select(FrameworkItem).where(FrameworkItem.uuid == uuid)).one()


def links() -> list[tuple[str, str, int, str]]:
    """Every link of the sample: origin's code, destination's statement, position, grouping."""
    rows = db.session.scalars(
        sa.select(ItemAssociation)
        .join(Framework, Framework.id == ItemAssociation.framework_id)
        .where(Framework.slug == "essai")
        .order_by(ItemAssociation.origin_id, ItemAssociation.position)
    )
    return [(row.origin.code, row.destination.statement, row.position, row.grouping) for row in rows]


def references() -> list[tuple[int, str, str, str | None]]:
    rows = db.session.scalars(sa.select(SeeAlso).where(SeeAlso.side == "bac").order_by(SeeAlso.position))
    return [(r.position, r.type, r.text, r.destination.code if r.destination else None) for r in rows]


def everything() -> set[tuple[object, ...]]:
    """All rows of the sample, their numbers included."""
    found: set[tuple[object, ...]] = set()
    for table in (Framework, FrameworkItem, ItemAssociation, SeeAlso):
        columns = [c for c in table.__table__.columns if not isinstance(c.type, sa.JSON)]
        found |= {(table.__tablename__, *row) for row in db.session.execute(sa.select(*columns))}
    return found


def test_items_are_loaded_depth_first_under_their_parents(load) -> None:
    assert load() == [Loaded("essai", False, 4, 3), Loaded("bac", False, 5, 0)]

    rows = list(
        db.session.scalars(
            sa.select(FrameworkItem)
            .join(Framework)
            .where(Framework.slug == "essai")
            .order_by(FrameworkItem.position)
        )
    )
    assert [(r.position, r.code, r.statement, r.parent.code if r.parent else None) for r in rows] == [
        (0, "1", "Accueillir", None),
        (1, "1A", "Saluer le client", "1"),
        (2, "", "Sourire", "1A"),
        (3, "1B", "Écouter le client", "1"),
    ]


def test_a_statement_keeps_its_notes_its_other_parts_and_its_unknown_pairing(load) -> None:
    load()

    assert item(CRITERION).notes == ["Sur des situations simples"]
    assert item(CRITERION).also_under == ["Bloc 2"]
    assert item("22222222-2222-4222-8222-0000000000d1").pairing_unknown is True


def test_links_keep_the_order_of_the_file(load) -> None:
    load()

    assert links() == [
        ("1A", "Prendre contact", 0, "Liens"),
        ("1A", "Les salutations sont adaptées", 1, "Liens"),
        ("1B", "Prendre contact", 0, ""),
    ]


def test_a_see_also_leads_to_its_competence_and_a_plain_remark_nowhere(load) -> None:
    load()

    assert references() == [
        (0, "criterion", "Voir aussi 1A", "1A"),
        (10, "behaviour", "À conserver", None),
    ]


def test_a_see_also_of_several_competences_is_one_row_each(load) -> None:
    load(changed(SECONDE, 'to: ["1A"]', 'to: ["1A", "1B"]'))

    assert [(text, code) for _p, _t, text, code in references()][:2] == [
        ("Voir aussi 1A", "1A"),
        ("Voir aussi 1A", "1B"),
    ]


def test_loading_the_same_files_twice_changes_nothing(load) -> None:
    load()
    before = everything()

    assert [one.unchanged for one in load()] == [True, True]
    assert everything() == before


def test_a_comment_in_the_file_is_a_new_version_that_changes_no_item(load) -> None:
    load()
    ids = {row.uuid: row.id for row in db.session.scalars(sa.select(FrameworkItem))}

    (seconde, bac) = load("# relu le 3 mars\n" + SECONDE)

    assert (seconde.unchanged, bac.unchanged) == (False, True)
    assert {row.uuid: row.id for row in db.session.scalars(sa.select(FrameworkItem))} == ids
    assert len(links()) == 3


def test_a_corrected_wording_keeps_the_items_identity(load) -> None:
    load()
    before = item(SUB).id

    load(changed(SECONDE, 'statement: "Sourire"', 'statement: "Sourire au client"'))

    assert (item(SUB).id, item(SUB).statement, item(SUB).retired) == (before, "Sourire au client", False)


def test_an_item_that_moves_keeps_its_identity(load) -> None:
    load()
    before = item(SUB).id
    sub = f'          - id: {SUB}\n            type: subcompetence\n            statement: "Sourire"\n'
    moved = changed(SECONDE, "        items:\n" + sub, "")
    moved = changed(
        moved, 'statement: "Écouter le client"\n', 'statement: "Écouter le client"\n        items:\n' + sub
    )

    load(moved)

    parent = item(SUB).parent
    assert (item(SUB).id, parent.code if parent else None) == (before, "1B")


def test_an_item_that_disappears_is_retired_and_comes_back_when_it_is_written_again(load) -> None:
    load()
    before = item(SUB).id
    without = changed(
        SECONDE,
        f'        items:\n          - id: {SUB}\n            type: subcompetence\n            statement: "Sourire"\n',
        "",
    )

    load(without)
    assert (item(SUB).id, item(SUB).retired) == (before, True)

    load()
    assert (item(SUB).id, item(SUB).retired) == (before, False)


def test_a_link_that_disappears_from_the_file_is_gone_and_the_others_keep_their_identifiers(load) -> None:
    load()
    kept = set(db.session.scalars(sa.select(ItemAssociation.uuid)))

    load(changed(SECONDE, "      - 22222222-2222-4222-8222-0000000000c1\n", ""))

    assert len(links()) == 2
    assert set(db.session.scalars(sa.select(ItemAssociation.uuid))) < kept


def test_a_see_also_that_disappears_from_the_file_is_gone(load) -> None:
    load()

    load(
        changed(
            SECONDE, '  - {from: 1B, side: bac, type: criterion, to: ["1A"], text: "Voir aussi 1A"}\n', ""
        )
    )

    assert [text for _p, _t, text, _c in references()] == ["À conserver"]


def test_titles_guide_and_source_follow_the_file(load) -> None:
    load()

    load(changed(SECONDE, "En situation simple.", "En situation simple et guidée."))

    framework = db.session.scalars(sa.select(Framework).where(Framework.slug == "essai")).one()
    assert framework.guide == {"reminder": "En situation simple et guidée."}
    assert (framework.title, framework.version, framework.position) == ("Seconde d’essai", "1", 7)


def test_the_shipped_referentials_are_in_every_new_database(in_app: Flask) -> None:
    found = dict(
        db.session.execute(
            sa.select(Framework.slug, sa.func.count(FrameworkItem.id))
            .join(FrameworkItem)
            .where(FrameworkItem.type == "competence")
            .group_by(Framework.slug)
        ).all()
    )

    assert set(found) == {"mrc-seconde", "ma", "mcv"}
    assert found["mrc-seconde"] == 10


def test_a_link_to_what_is_not_loaded_yet_is_refused_and_writes_nothing(
    in_app: Flask, tmp_path: Path
) -> None:
    alone = read_referential(write(tmp_path, "seconde.yaml", SECONDE))

    with pytest.raises(ReferentialError, match="is not loaded yet: load « bac » with it"):
        load_referentials(db.session, [alone])

    assert db.session.scalar(sa.select(sa.func.count(Framework.id)).where(Framework.slug == alone.slug)) == 0


def test_an_identifier_that_another_referential_holds_is_refused(in_app: Flask, tmp_path: Path) -> None:
    held = factories.competence("1A").uuid
    thief = read_referential(
        write(tmp_path, "bac.yaml", BAC.replace("22222222-2222-4222-8222-0000000000c1", held))
    )

    with pytest.raises(ReferentialError, match="belongs to « mrc-seconde » already"):
        load_referentials(db.session, [thief])
