"""What is written down of a request: one JSON line per event, and never an address of a page, which is a secret.

The address of a page carries its session (`/l/<sid>/…`), that of an invitation its token. Spirale's own events name a
page by its endpoint; what Flask and gunicorn would write goes through `without_secrets`, or loses its text.
"""

from __future__ import annotations

import logging
import re
import sys
from types import TracebackType

import structlog

SECRET_PART = re.compile(r"(?<=/)[A-Za-z0-9_-]{40,}(?![A-Za-z0-9_-])")
"""A part of an address that is long enough to be a secret of ours (they have 43 characters, a UUID has 36)."""

log = structlog.get_logger()


def init_logging() -> None:
    """Events as JSON lines on standard error; Flask's and Werkzeug's own messages become events without values."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=_Stderr,
        cache_logger_on_first_use=False,
    )
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    logging.getLogger("urllib3").setLevel(
        logging.ERROR
    )  # its warnings name addresses that were asked, and so people
    flask = logging.getLogger("lti_tool")
    flask.handlers, flask.propagate = [_WithoutValues()], False


def without_secrets(text: str) -> str:
    """An address, or a line that holds some, without queries and without the parts that are secrets."""
    return SECRET_PART.sub("…", re.sub(r"\?[^\s\"']*", "", text))


def where(trace: TracebackType | None) -> str:
    """File and line of the innermost frame."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""


class _WithoutValues(logging.Handler):
    """Flask writes the address and the whole trace of an error that no page could be made for: keep where and what."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        trace = record.exc_info[2] if record.exc_info else None
        log.error("unexpected", error=type(error).__name__ if error else record.levelname, where=where(trace))


class _Stderr:
    """Writes lines on whatever standard error is at that moment."""

    def __init__(self, *_args: object) -> None:
        pass

    def msg(self, line: str) -> None:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    info = warning = error = msg
