"""The people and the classes of the ENT: another school, whose course numbers are those of the LMS.

The same numbers on purpose: a tool that knew a course by its number alone would mix two schools.
"""

from lti_tool.demo.people import KnownCourse, KnownEnrolment, KnownPerson, School

CLASS_A = KnownCourse(2, "2de A", "Seconde A, relation client")
CLASS_B = KnownCourse(3, "2de B", "Seconde B, relation client")

NADIA_ROUSSEL = KnownPerson("3", "Nadia", "Roussel", "Mme")
PAUL_GARNIER = KnownPerson("4", "Paul", "Garnier", "M.")

_A_NAMES = (
    ("Awa", "Traoré"),
    ("Basile", "Morin"),
    ("Célia", "Ferreira"),
    ("Driss", "Alaoui"),
    ("Élise", "Perrin"),
    ("Florian", "Gauthier"),
    ("Gülsüm", "Aydın"),
    ("Hippolyte", "Besson"),
)
_B_NAMES = (("Iris", "Lacroix"), ("Jonas", "Meyer"), ("Kenza", "Slimani"), ("Lilou", "Barbier"))


def _pupils(names: tuple[tuple[str, str], ...], first_id: int) -> tuple[KnownPerson, ...]:
    return tuple(KnownPerson(str(number), *name) for number, name in enumerate(names, start=first_id))


A_PUPILS, B_PUPILS = _pupils(_A_NAMES, 6), _pupils(_B_NAMES, 20)
SCHOOL = School(
    courses=(CLASS_A, CLASS_B),
    people=(NADIA_ROUSSEL, PAUL_GARNIER, *A_PUPILS, *B_PUPILS),
    enrolments=(
        KnownEnrolment(CLASS_A, NADIA_ROUSSEL, "teacher"),
        KnownEnrolment(CLASS_A, PAUL_GARNIER, "teacher"),
        *(KnownEnrolment(CLASS_A, pupil, "pupil") for pupil in A_PUPILS),
        KnownEnrolment(CLASS_B, NADIA_ROUSSEL, "teacher"),
        *(KnownEnrolment(CLASS_B, pupil, "pupil") for pupil in B_PUPILS),
    ),
    graded=True,
)
