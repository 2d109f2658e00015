"""The referentials of a course, in its settings: what is offered, what was ticked, and what cannot be taken away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import ngettext

from ..assessment.worked import count_uses
from ..courses.models import Course
from ..db import db
from ..frameworks.models import Framework, FrameworkItem, ItemAssociation
from ..frameworks.sheets import competences


@dataclass(frozen=True)
class Choice:
    """The form as it is shown: what is stored, or what was ticked."""

    main: str
    slugs: list[str]
    """Every referential, the main one among them."""
    problem: str = ""


@dataclass(frozen=True)
class Offer:
    """A referential that a course may use, and why not when it may not."""

    framework: Framework
    competences: int
    uses: int
    """How many activities of the course work it."""
    obstacle: str = ""


def stored_choice(course: Course) -> Choice:
    """What the course uses now."""
    return Choice(course.framework_slug, list(course.framework_slugs))


def offers(course: Course) -> list[Offer]:
    """The referentials that have competences; those that another only leads to come last."""
    linked = set(
        db.session.scalars(
            sa.select(FrameworkItem.framework_id)
            .join(ItemAssociation, ItemAssociation.destination_id == FrameworkItem.id)
            .distinct()
        )
    )
    frameworks = db.session.scalars(sa.select(Framework).order_by(Framework.position, Framework.id))
    uses = count_uses(db.session, course)
    found = [_offer(one, uses[one.id]) for one in sorted(frameworks, key=lambda one: one.id in linked)]
    return [offer for offer in found if offer.competences]


def _offer(framework: Framework, uses: int) -> Offer:
    codes = Counter(item.code for item in competences(db.session, framework.id))
    obstacle = ""
    if "" in codes:
        obstacle = _("Une de ses compétences n’a pas de code\u00a0: ce référentiel ne se choisit pas.")
    elif twice := next((code for code, count in codes.items() if count > 1), ""):
        obstacle = _(
            "Deux de ses compétences portent le code %(code)s\u00a0: ce référentiel ne se choisit pas.",
            code=twice,
        )
    return Offer(framework, codes.total(), uses, obstacle)


def typed_choice(form: Mapping[str, str], ticked: list[str], offered: list[Offer]) -> Choice:
    """What was ticked, with the sentence that says why it cannot be kept, if it cannot.

    The main one comes first, ticked or not, then the others as they are offered.
    """
    main = form.get("main", "")
    slugs = [
        main,
        *(o.framework.slug for o in offered if o.framework.slug in ticked and o.framework.slug != main),
    ]
    choosable = {offer.framework.slug for offer in offered if not offer.obstacle}
    if not set(slugs) <= choosable:
        return Choice(main, slugs, _("Choisir le référentiel principal dans la liste."))
    lost = [offer for offer in offered if offer.uses and offer.framework.slug not in slugs]
    return Choice(main, slugs, _in_use(lost[0]) if lost else "")


def _in_use(offer: Offer) -> str:
    return ngettext(
        "%(title)s reste dans le cours\u00a0: une activité travaille ses compétences, et rien de ce qui a été "
        "évalué ne disparaît. Le cocher de nouveau.",
        "%(title)s reste dans le cours\u00a0: %(num)s activités travaillent ses compétences, et rien de ce qui a "
        "été évalué ne disparaît. Le cocher de nouveau.",
        offer.uses,
        title=offer.framework.short_title,
    )
