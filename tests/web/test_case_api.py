"""The CASE interface: each address of a package leads to its object, in the specification's shape; refusals too."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, abort
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lti_tool import create_app
from lti_tool.assessment.rubrics import package_with_rubrics
from lti_tool.db import db
from lti_tool.frameworks.case_objects import TYPES, type_uuid
from lti_tool.frameworks.loading import load_referentials, read_all, shipped_referentials
from lti_tool.frameworks.models import Framework, FrameworkItem
from lti_tool.frameworks.stored import stored_referentials
from tests.conftest import make_config
from tests.frameworks.case_schema import problems
from tests.frameworks.samples import BAC, SECONDE, changed, write
from tests.postgres import Postgres

BASE = "https://spirale.example.org/outil"
ROOT = "/ims/case/v1p1"
SLUGS = ("mrc-seconde", "ma", "mcv")
NOBODY = "00000000-0000-4000-8000-000000000000"
SECONDE_ID = "3047c4ad-5b6c-4372-a775-0c94855cfb7f"

Packages = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Flask]:
    """One application for the tests that only read, behind an address with a path."""
    folder = tmp_path_factory.mktemp("case")
    shutil.copy(migrated, folder / "spirale.db")
    app = create_app(make_config(folder, SPIRALE_BASE_URL=BASE))
    app.testing = False
    yield app
    with app.app_context():
        db.engine.dispose()
    app.extensions["spirale_queue"].storage.close()


@pytest.fixture
def client(world: Flask) -> FlaskClient:
    return world.test_client()


@pytest.fixture(scope="module")
def packages(world: Flask) -> Packages:
    """What the command exports from the same database."""
    with world.app_context():
        known = {data.slug: data for data in stored_referentials(db.session)}
        db.session.close()
    return {slug: package_with_rubrics(data, BASE, known.values()) for slug, data in known.items()}


def get(client: FlaskClient, uri: str) -> Any:
    """The object at an address of a package, its shape checked."""
    path = uri.removeprefix(BASE)
    assert path != uri
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "application/json"), uri
    kind = path.split("/")[4]
    assert problems(answer.json, kind) == [], uri
    return answer.json


def refusal(answer: TestResponse) -> tuple[int, list[tuple[str, str]]]:
    """The status of a refusal and its codes, its shape checked."""
    assert answer.mimetype == "application/json"
    assert problems(answer.json, "imsx_StatusInfo") == []
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "no-store"
    codes = answer.get_json().get("imsx_codeMinor", {"imsx_codeMinorField": []})["imsx_codeMinorField"]
    return answer.status_code, [
        (code["imsx_codeMinorFieldName"], code["imsx_codeMinorFieldValue"]) for code in codes
    ]


# ----- objects -----


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Everything that has a `uri` in a package, links too."""
    if isinstance(value, dict):
        if "uri" in value:
            yield value
        for inner in value.values():
            yield from objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from objects(inner)


def test_every_address_of_a_package_leads_to_the_object_itself(
    client: FlaskClient, packages: Packages
) -> None:
    whole = {one["uri"]: one for slug in SLUGS for one in objects(packages[slug]) if len(one) > 3}
    named = {one["uri"] for one in objects(packages["mrc-seconde"])}
    # Of the two large packages, one object in nine.
    named |= set(sorted(whole)[::9])
    assert len(named) > 1700

    for uri in named:
        found = get(client, uri)
        if "/CFItemTypes/" in uri:
            found = found["CFItemTypes"][0]
        held = {key: value for key, value in found.items() if key not in ("CFDocumentURI", "CFPackageURI")}
        assert held == whole[uri], uri


@pytest.mark.parametrize("slug", SLUGS)
def test_a_package_is_that_of_the_export_byte_for_byte(
    slug: str, client: FlaskClient, packages: Packages
) -> None:
    document = packages[slug]["CFDocument"]["identifier"]

    answer = client.get(f"{ROOT}/CFPackages/{document}")

    assert answer.data == json.dumps(packages[slug], ensure_ascii=False).encode()
    assert problems(answer.json, "CFPackages") == []


def test_an_object_fetched_by_itself_says_what_holds_it(client: FlaskClient, packages: Packages) -> None:
    package = packages["mrc-seconde"]
    title = package["CFDocument"]["title"]

    document = get(client, package["CFDocument"]["uri"])
    assert document["CFPackageURI"] == {
        "title": title,
        "identifier": SECONDE_ID,
        "uri": f"{BASE}{ROOT}/CFPackages/{SECONDE_ID}",
    }
    for held in (package["CFItems"][3], package["CFAssociations"][0], package["CFAssociations"][-1]):
        assert get(client, held["uri"])["CFDocumentURI"] == {
            "title": title,
            "identifier": SECONDE_ID,
            "uri": f"{BASE}{ROOT}/CFDocuments/{SECONDE_ID}",
        }


@pytest.mark.parametrize(
    ("slug", "number"), [("mrc-seconde", 0), ("mrc-seconde", 1), ("ma", 1), ("mcv", 7), ("mcv", 431)]
)
def test_the_associations_of_an_item_are_all_those_of_any_package_that_name_it(
    slug: str, number: int, client: FlaskClient, packages: Packages
) -> None:
    item = packages[slug]["CFItems"][number]

    found = get(client, f"{BASE}{ROOT}/CFItemAssociations/{item['identifier']}")

    wanted = [
        one
        for package in packages.values()
        for one in package["CFAssociations"]
        for end in ("originNodeURI", "destinationNodeURI")
        if one[end]["identifier"] == item["identifier"]
    ]
    assert sorted(found["CFAssociations"], key=str) == sorted(wanted, key=str)
    assert found["CFItem"] == get(client, item["uri"])


def test_a_type_comes_with_those_below_it(client: FlaskClient) -> None:
    def types(type_: str) -> list[str]:
        found = get(client, f"{BASE}{ROOT}/CFItemTypes/{type_uuid(type_)}")
        return [one["typeCode"] for one in found["CFItemTypes"]]

    assert types("competence_group") == list(TYPES)
    assert types("competence") == ["competence", "subcompetence"]
    assert types("criterion") == ["criterion"]


def test_an_identifier_is_found_however_it_is_written(client: FlaskClient) -> None:
    answer = client.get(f"{ROOT}/CFDocuments/{SECONDE_ID.upper()}")

    assert answer.get_json()["identifier"] == SECONDE_ID


def test_a_retired_item_still_answers(app: Flask, tmp_path: Path) -> None:
    sub = "11111111-1111-4111-8111-0000000001a1"
    cut = f'        items:\n          - id: {sub}\n            type: subcompetence\n            statement: "Sourire"\n'
    bac = write(tmp_path, "bac.yaml", BAC)
    with app.app_context():
        for text in (SECONDE, changed(changed(SECONDE, cut, ""), 'version: "1"', 'version: "2026-09-01"')):
            load_referentials(db.session, read_all([write(tmp_path, "essai.yaml", text), bac]))
            db.session.commit()
        db.session.close()
    client = app.test_client()

    item = client.get(f"{ROOT}/CFItems/{sub}").get_json()
    around = client.get(f"{ROOT}/CFItemAssociations/{sub}").get_json()

    assert (problems(item, "CFItems"), problems(around, "CFItemAssociations")) == ([], [])
    assert (item["fullStatement"], item["statusEndDate"]) == ("Sourire", "2026-09-01")
    assert [one["destinationNodeURI"]["title"] for one in around["CFAssociations"]] == ["1A Saluer"]
    assert (
        client.get(around["CFAssociations"][0]["uri"].removeprefix("http://localhost:8000")).status_code
        == 200
    )


def test_what_took_the_place_of_a_retired_item_is_an_association_that_answers(app: Flask) -> None:
    with app.app_context():
        old, new = (
            db.session.scalars(
                sa.select(FrameworkItem).where(FrameworkItem.code == code, FrameworkItem.type == "competence")
            ).first()
            for code in ("1A", "1B")
        )
        assert old is not None
        assert new is not None
        old.retired, old.replaced_by = True, new.uuid
        ends = old.uuid, new.uuid
        db.session.commit()
    client = app.test_client()

    package = client.get(f"{ROOT}/CFPackages/{SECONDE_ID}").get_json()
    assert problems(package, "CFPackages") == []
    (held,) = [one for one in package["CFAssociations"] if one["associationType"] == "replacedBy"]
    assert (held["originNodeURI"]["identifier"], held["destinationNodeURI"]["identifier"]) == ends
    assert held["destinationNodeURI"]["title"].startswith("1B ")
    alone = client.get(held["uri"].partition("localhost:8000")[2]).get_json()
    assert problems(alone, "CFAssociations") == []
    assert {name: alone[name] for name in held} == held
    for end in ends:
        around = client.get(f"{ROOT}/CFItemAssociations/{end}").get_json()["CFAssociations"]
        assert held in around


# ----- the list of documents -----


def page(client: FlaskClient, query: str = "") -> tuple[list[str], str, dict[str, str]]:
    """The titles of a page, the total, and the links by what they lead to."""
    answer = client.get(f"{ROOT}/CFDocuments{query}")
    assert answer.status_code == 200
    assert problems(answer.json, "CFDocumentSet") == []
    links = dict(part.split("; ")[::-1] for part in answer.headers["Link"].split(", "))
    begin = f"<{BASE}{ROOT}/CFDocuments?"
    assert all(address.startswith(begin) and address.endswith(">") for address in links.values())
    short = {rel[5:-1]: address.removeprefix(begin)[:-1] for rel, address in links.items()}
    titles = [one["title"] for one in answer.get_json()["CFDocuments"]]
    return titles, answer.headers["X-Total-Count"], short


def test_documents_come_a_page_at_a_time(client: FlaskClient, packages: Packages) -> None:
    titles = [packages[slug]["CFDocument"]["title"] for slug in SLUGS]

    alone = {"first": "limit=100&offset=0", "last": "limit=100&offset=0"}
    assert page(client) == (titles, "3", alone)
    one = {"first": "limit=1&offset=0", "last": "limit=1&offset=2"}
    assert page(client, "?limit=1") == (titles[:1], "3", {**one, "next": "limit=1&offset=1"})
    assert page(client, "?limit=1&offset=1") == (
        titles[1:2],
        "3",
        {**one, "prev": "limit=1&offset=0", "next": "limit=1&offset=2"},
    )
    assert page(client, "?limit=1&offset=2") == (titles[2:], "3", {**one, "prev": "limit=1&offset=1"})
    two = {"first": "limit=2&offset=0", "last": "limit=2&offset=2"}
    assert page(client, "?limit=2&offset=1") == (titles[1:], "3", {**two, "prev": "limit=2&offset=0"})
    assert page(client, "?limit=3")[2] == {"first": "limit=3&offset=0", "last": "limit=3&offset=0"}
    assert page(client, "?limit=999999999")[0] == titles


def test_a_page_beyond_the_last_is_not_there(client: FlaskClient) -> None:
    assert refusal(client.get(f"{ROOT}/CFDocuments?offset=3")) == (404, [("offset", "unknownobject")])


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        *[
            (f"limit={bad}", [("limit", "invalid_selection_field")])
            for bad in ("0", "-1", "", "x", "1.5", "1e3")
        ],
        *[
            (f"limit={bad}", [("limit", "invalid_selection_field")])
            for bad in ("9" * 10, "9" * 5000, "٣", "%C3")
        ],
        *[(f"offset={bad}", [("offset", "invalid_selection_field")]) for bad in ("-1", "x", "9" * 25)],
        ("sort=title", [("sort", "invalid_sort_field")]),
        ("orderBy=asc", [("orderBy", "invalid_sort_field")]),
        ("filter=title=%27x%27", [("filter", "invalid_selection_field")]),
        (
            "fields=title&limit=0",
            [("fields", "invalid_selection_field"), ("limit", "invalid_selection_field")],
        ),
        ("limit=%00", [("request", "invalid_selection_field")]),
    ],
)
def test_a_parameter_that_is_wrong_or_not_offered_is_named(
    query: str, codes: list[tuple[str, str]], client: FlaskClient
) -> None:
    assert refusal(client.get(f"{ROOT}/CFDocuments?{query}")) == (400, codes)


# ----- what is not there -----

KINDS = (
    "CFDocuments",
    "CFPackages",
    "CFItems",
    "CFItemAssociations",
    "CFAssociations",
    "CFItemTypes",
    "CFAssociationGroupings",
    "CFRubrics",
    "CFRubricCriteria",
    "CFRubricCriterionLevels",
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A client of the interface on each database."""
    if request.param == "sqlite":
        yield request.getfixturevalue("world").test_client()
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.new_database(template=request.getfixturevalue("migrated_postgres"))
    config = make_config(tmp_path_factory.mktemp("case"), SPIRALE_DATABASE_URL=url, SPIRALE_BASE_URL=BASE)
    app = create_app(config)
    app.testing = False
    yield app.test_client()
    with app.app_context():
        db.engine.dispose()
    app.extensions["spirale_queue"].storage.close()


def test_both_databases_answer_alike_and_refuse_what_is_no_identifier(
    either: FlaskClient, packages: Packages
) -> None:
    package = packages["mrc-seconde"]
    assert either.get(f"{ROOT}/CFPackages/{SECONDE_ID}").get_json() == package
    for one in (package["CFItems"][1], package["CFAssociations"][0], package["CFAssociations"][-1]):
        assert {**get(either, one["uri"]), "CFDocumentURI": None} == {**one, "CFDocumentURI": None}
    for one in (package["CFRubrics"][1], *package["CFDefinitions"]["CFAssociationGroupings"]):
        assert get(either, one["uri"]) == one
    item = package["CFItems"][1]["identifier"]
    assert len(get(either, f"{BASE}{ROOT}/CFItemAssociations/{item}")["CFAssociations"]) == 38 + 44 + 1 + 2
    assert page(either)[1] == "3"
    for kind in KINDS:
        assert refusal(either.get(f"{ROOT}/{kind}/{NOBODY}")) == (404, [("sourcedId", "unknownobject")])
        for bad in (
            "1A",
            "x" * 5000,
            "é\u202e\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
        ):
            assert refusal(either.get(f"{ROOT}/{kind}/{bad}")) == (404, [("sourcedId", "invalid_uuid")])
        for bad in (f"{{{NOBODY}}}", NOBODY.replace("-", ""), f"{NOBODY}0", f"{NOBODY}%0A", "%FF", "%27--"):
            assert refusal(either.get(f"{ROOT}/{kind}/{bad}")) == (404, [("sourcedId", "invalid_uuid")])
        assert refusal(either.get(f"{ROOT}/{kind}/a%00"))[0] == 400


@pytest.mark.parametrize(
    "path",
    [
        "/ims/case",
        "/ims/case/v1p0/CFDocuments",
        f"{ROOT}/",
        f"{ROOT}/CFSubjects/{NOBODY}",
        f"{ROOT}/CFItems/",
        f"{ROOT}/CFItems",
        f"{ROOT}//CFItems/{NOBODY}",
        f"{ROOT}/CFItems/{NOBODY}/",
        f"{ROOT}/CFDocuments/",
        f"{ROOT}/%2e%2e/",
    ],
)
def test_nothing_below_the_interface_is_a_page(path: str, client: FlaskClient) -> None:
    status, codes = refusal(client.get(path, headers={"Accept": "text/html"}))

    assert (status, [code for _name, code in codes]) == (
        404,
        ["unknownobject"],
    )


def test_an_address_that_only_begins_alike_is_a_page(client: FlaskClient) -> None:
    answer = client.get("/ims/casework")

    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_the_interface_is_only_read(method: str, client: FlaskClient) -> None:
    for path in ("/CFDocuments", f"/CFItems/{NOBODY}"):
        answer = client.open(f"{ROOT}{path}", method=method)
        assert refusal(answer) == (405, [])
        assert answer.get_json()["imsx_codeMajor"] == "unsupported"
        assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_a_fault_of_ours_and_too_many_requests_are_said_alike(
    app: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(**_address: str) -> None:
        raise RuntimeError

    client = app.test_client()
    app.view_functions["case.CFItems"] = lambda **_address: abort(429)
    assert refusal(client.get(f"{ROOT}/CFItems/{NOBODY}")) == (429, [("request", "server_busy")])

    app.view_functions["case.CFAssociations"] = broken
    answer = client.get(f"{ROOT}/CFAssociations/{NOBODY}")
    assert refusal(answer) == (500, [("request", "internal_server_error")])
    reference = answer.get_json()["imsx_description"].rpartition("(")[2][:-1]
    assert reference in capsys.readouterr().err


# ----- keeping answers -----


def test_an_unchanged_answer_is_not_sent_again(client: FlaskClient) -> None:
    path = f"{ROOT}/CFPackages/{SECONDE_ID}"
    first = client.get(path)
    tag = first.headers["ETag"]
    assert (tag[0], tag[-1], len(tag)) == ('"', '"', 34)
    assert first.headers["Cache-Control"] == "public, max-age=3600"

    for held in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get(path, headers={"If-None-Match": held})
        assert (again.status_code, again.data) == (304, b"")
        assert (again.headers["ETag"], again.headers["Cache-Control"]) == (tag, "public, max-age=3600")
        assert again.headers["Access-Control-Allow-Origin"] == "*"
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    head = client.head(path)
    assert (head.headers["ETag"], head.data) == (tag, b"")


def test_an_unchanged_package_is_not_made_again(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{ROOT}/CFPackages/{SECONDE_ID}"
    tag = client.get(path).headers["ETag"]

    def made(*_arguments: object) -> None:
        raise AssertionError

    monkeypatch.setattr("lti_tool.frameworks.case_lookup.referential_of", made)

    assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
    assert client.get(path).status_code == 500


def test_a_tag_is_good_for_its_own_address_only(client: FlaskClient) -> None:
    tag = client.get(f"{ROOT}/CFDocuments?limit=1").headers["ETag"]

    assert client.get(f"{ROOT}/CFDocuments?limit=2", headers={"If-None-Match": tag}).status_code == 200
    for unknown in (tag, "*"):
        assert client.get(f"{ROOT}/CFItems/{NOBODY}", headers={"If-None-Match": unknown}).status_code == 404


def test_the_tag_changes_with_any_referential(app: Flask) -> None:
    """The titles of links are statements of other referentials."""
    client = app.test_client()
    path = f"{ROOT}/CFPackages/{SECONDE_ID}"
    tag = client.get(path).headers["ETag"]
    with app.app_context():
        db.session.execute(sa.update(Framework).where(Framework.slug == "ma").values(checksum="0" * 64))
        db.session.commit()
        db.session.close()

    assert client.get(path, headers={"If-None-Match": tag}).status_code == 200
    with app.app_context():
        load_referentials(db.session, read_all(shipped_referentials()))
        db.session.commit()
        db.session.close()
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 304


# ----- reading from a page -----


def test_a_page_of_any_site_may_read(client: FlaskClient) -> None:
    answer = client.get(f"{ROOT}/CFDocuments", headers={"Origin": "https://elsewhere.example"})

    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Expose-Headers"] == "X-Total-Count, Link, ETag"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_page_that_asks_beforehand_may_read_and_send_a_tag(client: FlaskClient) -> None:
    asked = {
        "Origin": "https://elsewhere.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "if-none-match",
    }
    answer = client.options(f"{ROOT}/CFItems/{NOBODY}", headers=asked)

    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert "If-None-Match" in answer.headers["Access-Control-Allow-Headers"].split(", ")


def test_the_pages_of_the_tool_are_not_open_to_scripts(client: FlaskClient) -> None:
    for path in ("/", "/health/live", "/.well-known/jwks.json"):
        assert "Access-Control-Allow-Origin" not in client.get(path).headers
