"""Registration with the demo LMS over real HTTP: pasted, confirmed, launched, updated."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from lti_tool.courses.models import Course, Enrolment
from lti_tool.db import begin_write, db, utcnow
from lti_tool.lti.invites import invite_platform
from lti_tool.lti.models import Deployment, Platform
from tests.platform import Browser, DemoWorld, Page


@pytest.fixture
def world(tmp_path: Path, migrated: Path) -> Iterator[DemoWorld]:
    shutil.copy(migrated, tmp_path / "spirale.db")
    with DemoWorld(tmp_path) as made:
        yield made


def paste(world: DemoWorld, browser: Browser, **more: str) -> Page:
    """The tool's page, as the LMS's frame shows it."""
    with world.app.app_context():
        begin_write()
        _invite, address = invite_platform(
            db.session, utcnow(), world.config, name="Campus", private_host="127.0.0.1"
        )
        db.session.commit()
        db.session.close()
    return browser.get(f"{world.lms_url}/admin/tools/start?{urlencode({'url': address, **more})}")


def registered(world: DemoWorld) -> list[tuple[str, str, str]]:
    with world.app.app_context():
        rows = db.session.execute(
            sa.select(Platform.name, Platform.client_id, Deployment.deployment_id)
            .join(Deployment)
            .where(Platform.id != world.platform_id)
        ).all()
        db.session.close()
        return [(row[0], row[1], row[2]) for row in rows]


def test_a_platform_registers_is_launched_and_updated(world: DemoWorld) -> None:
    browser = world.browser("Claire Morel")
    page = paste(world, browser)
    assert page.status == 200, page.text
    done = browser.send_form(page)
    assert "Plateforme reliée à Spirale" in done.text
    ((name, client_id, deployment),) = registered(world)
    assert (name, deployment) == ("Campus", "2")

    browser.post(f"{world.lms_url}/admin/tools/2/activate", {})
    browser.post(f"{world.lms_url}/courses/2/add", {"title": "Spirale, par l’autre", "tool": "2"})
    first = world.launch(browser, activity_id=world.store.activities(2)[-1].id)
    assert first.status == 200, first.text
    assert "/l/" in first.url
    with world.app.app_context():
        course = db.session.scalars(
            sa.select(Course).join(Platform).where(Platform.client_id == client_id)
        ).one()
        assert course.roster_problem == ""
        members = db.session.scalar(
            sa.select(sa.func.count(Enrolment.id)).where(Enrolment.course_id == course.id)
        )
        db.session.close()
    assert members == 27

    updated = browser.send_form(paste(world, browser, update="2"))
    assert "Inscription mise à jour" in updated.text
    assert registered(world) == [(name, client_id, deployment)]


def test_a_permission_that_served_is_a_clear_page(world: DemoWorld) -> None:
    browser = world.browser("Claire Morel")
    page = paste(world, browser)
    before = len(registered(world))
    world.faults.lose("/lti/registration", method="POST")
    lost = browser.send_form(page)
    assert "Réponse perdue" in lost.text
    again = browser.send_form(page)
    assert again.status == 409
    assert "Permission déjà utilisée" in again.text
    assert len(registered(world)) == before
