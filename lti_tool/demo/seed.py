"""The first data: keys, people, courses, and one link to the tool in each course."""

import secrets

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import delete
from sqlalchemy.orm import Session

from lti_tool.demo.activities import Column, NewActivity, add_activity
from lti_tool.demo.people import School
from lti_tool.demo.tables import Base, Course, Enrolment, Person, Secret

PRIVATE_KEY = "private_key"
COOKIE_KEY = "cookie_key"


def seed(session: Session, school: School) -> None:
    """Fill an empty database; a second start changes nothing."""
    if session.get(Secret, PRIVATE_KEY) is None:
        session.add(Secret(name=PRIVATE_KEY, value=new_private_key()))
        session.add(Secret(name=COOKIE_KEY, value=secrets.token_hex(32)))
        add_school(session, school)


def reseed(session: Session, school: School) -> None:
    """Put everything back as after the first start, except the keys."""
    for table in reversed(Base.metadata.sorted_tables):
        if table is not Secret.__table__:
            session.execute(delete(table))
    session.connection().exec_driver_sql("DELETE FROM sqlite_sequence")  # the same ids as at the start
    add_school(session, school)


def add_school(session: Session, school: School) -> None:
    """The courses, the people, who is where, and the link « Spirale » of each course."""
    session.add_all(
        Course(id=course.id, label=course.label, title=course.title, sourced_id=course.sourced_id)
        for course in school.courses
    )
    session.add_all(
        Person(
            id=int(person.sub),
            given_name=person.given_name,
            family_name=person.family_name,
            honorific=person.honorific,
            username=person.username,
            sourced_id=person.sourced_id,
        )
        for person in school.people
    )
    session.flush()
    session.add_all(
        Enrolment(
            course_id=enrolment.course.id,
            person_id=int(enrolment.person.sub),
            role=enrolment.role,
            suspended=enrolment.suspended,
        )
        for enrolment in school.enrolments
    )
    for course in school.courses:
        add_activity(session, course.id, NewActivity("Spirale", column=Column() if school.graded else None))


def new_private_key() -> str:
    """A fresh RSA key of 2048 bits, PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
