"""The people and the courses the demo LMS starts with; tests look them up by name. The ENT's: ent_people."""

import unicodedata
from dataclasses import dataclass
from typing import Literal

Role = Literal["teacher", "assistant", "pupil"]
"""``assistant`` is Moodle's non-editing teacher."""


@dataclass(frozen=True)
class KnownPerson:
    """Somebody of the school. ``sub`` is the LMS's numeric id, as a string."""

    sub: str
    given_name: str
    family_name: str
    honorific: str = ""
    sourced_id: str = ""
    """Number given by the school's office; empty for some people, as in real schools."""

    @property
    def name(self) -> str:
        """Given name then family name, as everywhere in the LMS."""
        return f"{self.given_name} {self.family_name}"

    @property
    def username(self) -> str:
        """Login: ASCII, ``given.family``."""
        return login_of(self.given_name, self.family_name)


@dataclass(frozen=True)
class KnownCourse:
    """A course of the school; ``label`` is its short name."""

    id: int
    label: str
    title: str
    sourced_id: str = ""


@dataclass(frozen=True)
class KnownEnrolment:
    """Who is in which course, as what."""

    course: KnownCourse
    person: KnownPerson
    role: Role
    suspended: bool = False


@dataclass(frozen=True)
class School:
    """What a platform starts with. ``graded``: the link « Spirale » of each course comes with a column."""

    courses: tuple[KnownCourse, ...]
    people: tuple[KnownPerson, ...]
    enrolments: tuple[KnownEnrolment, ...]
    graded: bool = False

    def by_name(self, name: str) -> KnownPerson:
        """The person called ``name`` ("Adam Benali"). Raises KeyError when nobody is."""
        return {person.name: person for person in self.people}[name]


def login_of(given_name: str, family_name: str) -> str:
    """ASCII login, e.g. ``aicha.diop``; the dotless ı has no decomposition and is handled apart."""
    plain = unicodedata.normalize("NFKD", f"{given_name}.{family_name}".replace("ı", "i"))
    return plain.encode("ascii", "ignore").decode().lower().replace(" ", "-")


MRC1 = KnownCourse(2, "2MRC1", "Seconde MRC 1", "2MRC1-2026")
MRC2 = KnownCourse(3, "2MRC2", "Seconde MRC 2", "2MRC2-2026")
COURSES = (MRC1, MRC2)

CLAIRE_MOREL = KnownPerson("3", "Claire", "Morel", "Mme")
KARIM_DIALLO = KnownPerson("4", "Karim", "Diallo", "M.")
YANN_LE_GOFF = KnownPerson("5", "Yann", "Le Goff", "M.")

_MRC1_NAMES = (
    ("Adam", "Benali"),
    ("Aïcha", "Diop"),
    ("Amina", "Koné"),
    ("Baptiste", "Lefèvre"),
    ("Camille", "Roux"),
    ("Chloé", "Martin"),
    ("Dylan", "Petit"),
    ("Elif", "Yılmaz"),
    ("Emma", "Garnier"),
    ("Enzo", "Vidal"),
    ("Fatou", "Sarr"),
    ("Gabriel", "Thomas"),
    ("Hugo", "Noël"),
    ("Inès", "Bérard"),
    ("Jade", "Chevalier"),
    ("Kévin", "André"),
    ("Léa", "François"),
    ("Lucas", "Dubois"),
    ("Maëlys", "Caron"),
    ("Mathéo", "Simon"),
    ("Noémie", "Girard"),
    ("Océane", "Weber"),
    ("Rayan", "El Amrani"),
    ("Zoé", "Lambert"),
)
_MRC2_NAMES = (
    ("Anaïs", "Leroy"),
    ("Bilal", "Haddad"),
    ("Clémence", "Picard"),
    ("Joël", "Kabongo"),
    ("Lina", "Nguyễn"),
    ("Sacha", "Poirier"),
)


def _pupils(names: tuple[tuple[str, str], ...], first_sub: int) -> tuple[KnownPerson, ...]:
    """People with consecutive ids; every fourth has no number from the school's office."""
    return tuple(
        KnownPerson(str(sub), given, family, sourced_id="" if sub % 4 == 0 else f"E{sub:03}")
        for sub, (given, family) in enumerate(names, start=first_sub)
    )


MRC1_PUPILS = _pupils(_MRC1_NAMES, 6)
MRC2_PUPILS = _pupils(_MRC2_NAMES, 30)
THEO_MARCHAND = KnownPerson("36", "Théo", "Marchand", sourced_id="E036")
"""Pupil of the first course, suspended."""

STAFF = (CLAIRE_MOREL, KARIM_DIALLO, YANN_LE_GOFF)
PEOPLE = (*STAFF, *MRC1_PUPILS, *MRC2_PUPILS, THEO_MARCHAND)
ENROLMENTS = (
    KnownEnrolment(MRC1, CLAIRE_MOREL, "teacher"),
    KnownEnrolment(MRC1, KARIM_DIALLO, "teacher"),
    KnownEnrolment(MRC1, YANN_LE_GOFF, "assistant"),
    *(KnownEnrolment(MRC1, pupil, "pupil") for pupil in MRC1_PUPILS),
    KnownEnrolment(MRC1, THEO_MARCHAND, "pupil", suspended=True),
    KnownEnrolment(MRC2, CLAIRE_MOREL, "teacher"),
    *(KnownEnrolment(MRC2, pupil, "pupil") for pupil in MRC2_PUPILS),
)
SCHOOL = School(COURSES, PEOPLE, ENROLMENTS)


def by_name(name: str) -> KnownPerson:
    """The person of the LMS called ``name`` ("Adam Benali"). Raises KeyError when nobody is."""
    return SCHOOL.by_name(name)
