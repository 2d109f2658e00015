"""Every page that a teacher or a pupil can read, found in the guard's own registry: what all pages must hold is
tried on each, and a page added tomorrow too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa
from flask import Flask

from lti_tool.courses.models import Role
from lti_tool.db import begin_write, db
from lti_tool.gradebook.models import Conversion, GradebookSettings, Mode
from lti_tool.web.guard import ASKED, RIGHTS
from tests.classes import Class
from tests.conftest import Visitor, open_visit
from tests.factories import competence

PAGE = "/l/<sid>"
IN_EACH = {
    "overview": ["?pupil={person_id}&competence=1A", "?complexity=2&speciality=V&provisional=1"],
    "gradebook": ["?state=waiting"],
    "my_spiral": ["?competence=1A"],
    "pupil_sheet": ["?competence=1A"],
    "decision": ["?item={item_id}"],
    "course_policy": ["?policy=best&minimum=2&times=2&weight=65"],
    "try_policies": ["?pupil={person_id}&competence=1A"],
    "new_activity": ["?copy={activity_id}", "?example=vente-simple", "?competence=2B"],
    "show_nudges": ["?competences=1A&competences=1B&complexity=1"],
    "referential_search": ["?q=client"],
    "referential_search_results": ["?q=client"],
}
"""What the address of a page may ask more, where that shows more."""
NOT_ALONE = {"ask_clear", "decision"}
"""Pages about something that their address must name, and that a class at work does not have."""
DEEP_LINKING = {
    "return_url": "https://lms1.example.org/back",
    "accept_multiple": True,
    "accept_lineitem": True,
    "data": None,
    "title": "",
    "text": "",
}


@dataclass(frozen=True)
class Opened:
    """A page as somebody opens it."""

    role: Role
    endpoint: str
    query: str
    visitor: Visitor
    path: str

    @property
    def name(self) -> str:
        return f"{self.role.value} {self.endpoint}{self.query}"


PUBLISHING = {"gradebook": ["", "?state=to_publish"], "preview_publish": [""]}
"""Pages that show more where scores leave on « Publier »; opened once more there, with all of them to publish."""


@contextmanager
def publishing(app: Flask, of: Class) -> Iterator[None]:
    """Meanwhile the class sends on « Publier », by a conversion that makes every score another than was queued."""
    with app.app_context():
        begin_write()
        settings = GradebookSettings(course_id=of.course.id, mode=Mode.PUBLISH, conversion=Conversion.TABLE)
        db.session.add(settings)
        db.session.commit()
        db.session.close()
    try:
        yield
    finally:
        with app.app_context():
            begin_write()
            gone = sa.delete(GradebookSettings).where(GradebookSettings.course_id == of.course.id)
            db.session.execute(gone)
            db.session.commit()
            db.session.close()


def every_page(app: Flask, of: Class, locale: str = "fr") -> Iterator[Opened]:
    """The pages of a class that are read, as its teacher and as its first pupil."""
    with app.app_context():
        values = {
            "activity_id": of.activities[0].id,
            "person_id": of.pupils[0].id,
            "group_id": of.group_id,
            "code": "1A",
            "identifier": competence("1A").uuid,
            "item_id": competence("1A").id,
        }
        db.session.close()
    more = {"resource_link_id": of.link.id, "locale": locale}
    teacher = open_visit(app, of.course, of.teacher, **more)
    pupil = open_visit(app, of.course, of.pupils[0], **more)
    choosing = open_visit(app, of.course, of.teacher, deep_linking=DEEP_LINKING, locale=locale)
    published = []
    for rule in app.url_map.iter_rules():
        endpoint = rule.endpoint.removeprefix("pages.")
        if (
            rule.endpoint not in ASKED
            or "GET" not in (rule.methods or ())
            or endpoint in NOT_ALONE - set(IN_EACH)
        ):
            continue
        unknown = set(rule.arguments) - set(values) - {"sid"}
        assert not unknown, f"every_page.py must say what {unknown} of {rule.rule} is in a class"
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(values[found[1]]), rule.rule.removeprefix(PAGE))
        for role in (Role.TEACHER, Role.LEARNER):
            if ASKED[rule.endpoint] in RIGHTS[role]:
                visitor = choosing if endpoint == "picker" else teacher if role is Role.TEACHER else pupil
                for query in [*([] if endpoint in NOT_ALONE else [""]), *IN_EACH.get(endpoint, [])]:
                    yield Opened(role, endpoint, query, visitor, path + query.format(**values))
                for query in PUBLISHING.get(endpoint, []):
                    name = f"{endpoint} to publish"
                    published.append(Opened(role, name, query, visitor, path + query))
    with publishing(app, of):
        yield from published
