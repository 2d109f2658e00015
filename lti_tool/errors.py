"""Every error Spirale raises on purpose.

::

    SpiraleError
    ├── ConfigError            a setting is missing or wrong; the program does not start
    ├── DatabaseOutdated       the schema is not the one this version needs
    ├── ReferentialError       a referential file is wrong: file, line, what
    ├── LaunchRefused          a login or a launch is not accepted, and why (a `Refusal`)
    ├── RegistrationRefused    a platform could not be registered, and why (a `NotRegistered`)
    ├── NotFound               there is no such thing in this course
    ├── NotAllowed             this person may not do this
    ├── BadInput               something typed is wrong: what, and what to do
    └── PlatformError          the LMS did not take what was sent
        ├── PlatformDelayed        no answer, or « later »: ask again
        └── PlatformRefused        a final no

Catch where you know what to do: `lti` turns HTTP into delayed or refused, the worker decides,
`web` speaks to people.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum


class SpiraleError(Exception):
    """The root of the tree."""


class ConfigError(SpiraleError):
    """A setting is missing or wrong. The message names it and says what to do."""


class DatabaseOutdated(SpiraleError):
    """The database is not at the schema this version needs."""


class ReferentialError(SpiraleError):
    """A referential file is wrong.

    `problems` holds one line each: ``file:line: what is wrong``.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Refusal(StrEnum):
    """Why a login or a launch was refused. `web.refusals` has the sentence for each."""

    MISSING_PARAMETER = "missing_parameter"
    UNKNOWN_PLATFORM = "unknown_platform"
    PLATFORM_DISABLED = "platform_disabled"
    UNKNOWN_DEPLOYMENT = "unknown_deployment"
    UNKNOWN_TARGET = "unknown_target"
    UNKNOWN_LOGIN = "unknown_login"
    OTHER_BROWSER = "other_browser"
    PLATFORM_SAID_NO = "platform_said_no"
    BAD_TOKEN = "bad_token"  # noqa: S105 - a reason, not a secret
    BAD_SIGNATURE = "bad_signature"
    EXPIRED = "expired"
    KEYS_UNREACHABLE = "keys_unreachable"
    BAD_MESSAGE = "bad_message"
    NO_PERSON = "no_person"
    NO_COURSE = "no_course"


class LaunchRefused(SpiraleError):
    """A login or a launch is not accepted.

    `detail` is for the log only: it names a claim or a parameter, never its value. `platform_id` is whose it was, where
    that is known at a login. `return_url` and `locale` are those of a message whose signature was right: where the
    platform wants to be told, and in which language.
    """

    def __init__(self, reason: Refusal, detail: str = "", platform_id: int | None = None) -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail
        self.platform_id = platform_id
        self.return_url = ""
        self.locale = ""


class NotRegistered(StrEnum):
    """Why a platform was not registered. `web.registration` has the sentence for each."""

    UNKNOWN_INVITE = "unknown_invite"
    EXPIRED_INVITE = "expired_invite"
    REVOKED_INVITE = "revoked_invite"
    USED_INVITE = "used_invite"
    BUSY_INVITE = "busy_invite"
    MISSING_PARAMETER = "missing_parameter"
    CHANGED_PAGE = "changed_page"
    BAD_ADDRESS = "bad_address"
    PRIVATE_ADDRESS = "private_address"
    NO_ANSWER = "no_answer"
    BAD_CONFIGURATION = "bad_configuration"
    OTHER_ISSUER = "other_issuer"
    MISSING_FEATURE = "missing_feature"
    TOKEN_SPENT = "token_spent"  # noqa: S105 - a reason, not a secret
    PLATFORM_REFUSED = "platform_refused"
    ANSWER_LOST = "answer_lost"


class RegistrationRefused(SpiraleError):
    """A platform could not be registered.

    `detail` is for the log: a parameter, a field, a status. `said` is the platform's own short reason.
    """

    def __init__(self, reason: NotRegistered, detail: str = "", said: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail
        self.said = said


class NotFound(SpiraleError):
    """There is no such thing in this course."""


class NotAllowed(SpiraleError):
    """This person may not do this."""


class BadInput(SpiraleError):
    """Something typed is wrong; `problems` maps a field's name to a sentence for its author."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class PlatformError(SpiraleError):
    """The LMS did not take what was sent. `status` is its HTTP status, 0 when there was no answer."""

    said: str = ""
    """Its own short reason, where it was asked for."""

    def __init__(self, what: str, status: int = 0) -> None:
        super().__init__(f"{what} ({status})" if status else what)
        self.what = what
        self.status = status


class PlatformDelayed(PlatformError):
    """No answer, or « later »: worth asking again, not before `retry_at` when the LMS said so."""

    def __init__(
        self, what: str, status: int = 0, *, retry_at: datetime | None = None, whole_platform: bool = False
    ) -> None:
        super().__init__(what, status)
        self.retry_at = retry_at
        self.whole_platform = whole_platform


class PlatformRefused(PlatformError):
    """A final no: asking again would change nothing."""
