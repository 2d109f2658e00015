"""The next step of a pupil, in one sentence and the page where it is taken."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from ..assessment.models import SelfPosition
from ..assessment.next_step import NextStep, Standing, Step, choose_step
from ..assessment.next_step import Work as Planned
from ..assessment.overview import Mastery
from ..courses.models import Course
from ..courses.referentials import reference, spoken_code
from .guard import here
from .my_activities import Work
from .my_exploration import explore
from .reasons import day_words, in_situation
from .shown import local_day, scale, speciality_words, today
from .spirals import Sheet


@dataclass(frozen=True)
class ShownStep:
    """One sentence, and where its link leads."""

    sentence: str
    link: str
    href: str


def next_step_of(course: Course, sheet: Sheet, current: list[Work], said: list[SelfPosition]) -> ShownStep:
    """What comes next for a pupil: `current` is their activities, `said` what they said of themselves."""
    step = choose_step(
        [item.id for item in sheet.items if not item.retired],
        {item: _standing(mastery) for item, mastery in sheet.masteries.items()},
        [_planned(work) for work in current if not work.done],
        [_unsaid(work, said) for work in current if work.done or work.last_day < today()],
        [one.speciality for one in explore(sheet.main, sheet.found) if not one.situations],
        today(),
    )
    return _shown(course, sheet, current, step)


def _standing(mastery: Mastery) -> Standing:
    position = mastery.position
    return Standing(
        reached=position.level >= scale().target,
        complexity=position.complexity,
        provisional=position.provisional,
        worked_on=mastery.turns[0].activity.starts_on,
    )


def _planned(work: Work, without: frozenset[int] = frozenset()) -> Planned:
    return Planned(
        activity_id=work.activity.id,
        starts_on=work.activity.starts_on,
        ends_on=work.last_day,
        complexity=work.activity.complexity,
        competences=tuple(r.item.id for r in work.results if r.item.id not in without and not r.item.retired),
    )


def _unsaid(work: Work, said: list[SelfPosition]) -> Planned:
    """Work that is done, with the competences in which the pupil has said nothing of themselves since."""
    since = {
        one.item_id
        for one in said
        if one.activity_id == work.activity.id or local_day(one.created_at) > work.activity.starts_on
    }
    return _planned(work, frozenset(since))


def _shown(course: Course, sheet: Sheet, current: list[Work], step: NextStep) -> ShownStep:
    work = next((one for one in current if one.activity.id == step.activity_id), None)
    listed = [*sheet.items, *(result.item for one in current for result in one.results)]
    item = next((one for one in listed if one.id == step.competence), None)
    code = spoken_code(course, item) if item else ""
    name = reference(course, item) if item else ""
    situation = in_situation().get(step.complexity, "")
    if step.step is Step.WORK and work:
        return ShownStep(
            _(
                "Prochaine étape\u00a0: %(code)s %(situation)s, %(when)s.",
                code=code,
                situation=situation,
                when=_when(work),
            ),
            work.activity.title,
            here("activity", activity_id=work.activity.id),
        )
    if step.step is Step.SAY and work:
        return ShownStep(
            _(
                "Prochaine étape\u00a0: me positionner en %(code)s, après «\u00a0%(title)s\u00a0».",
                code=code,
                title=work.activity.title,
            ),
            _("Je me positionne"),
            here("my_positions", competence=name, activity=work.activity.id),
        )
    if step.step is Step.EXPLORE:
        speciality = speciality_words()[step.speciality]
        return ShownStep(
            _("Prochaine étape\u00a0: une situation en %(speciality)s.", speciality=speciality),
            _("Mon exploration"),
            here("my_exploration"),
        )
    if step.step is Step.GO_ON:
        return ShownStep(
            _("Prochaine étape\u00a0: ce que ces compétences deviennent au Bac."),
            _("Mon exploration"),
            here("my_exploration"),
        )
    sentences = {
        Step.MORE: _(
            "Prochaine étape\u00a0: %(code)s, un tour de plus %(situation)s.", code=code, situation=situation
        ),
        Step.HARDER: _("Prochaine étape\u00a0: %(code)s %(situation)s.", code=code, situation=situation),
        Step.FIRST: _("Prochaine étape\u00a0: %(code)s, un premier tour.", code=code),
    }
    return ShownStep(
        sentences[step.step],
        _("Demander une observation en %(code)s", code=code),
        here("my_positions", competence=name, _anchor="demande"),
    )


def _when(work: Work) -> str:
    """« aujourd’hui », « le 25 mars », « jusqu’au 2 avril » for what has begun."""
    if work.activity.starts_on < today():
        return _("jusqu’au %(day)s", day=day_words(work.last_day))
    if work.activity.starts_on == today():
        return _("aujourd’hui")
    return _("le %(day)s", day=day_words(work.activity.starts_on))
