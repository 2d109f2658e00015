"""gunicorn's settings as a school runs it: ``gunicorn -c python:lti_tool.serving 'lti_tool:create_app()'``.

Any of them can be changed after it on the command line. The access log names no visitor and no secret.
"""

from __future__ import annotations

import gc
import logging
from typing import Any

from gunicorn.glogging import Logger

from .web.logs import without_secrets

workers = 2
threads = 4
accesslog = "-"
access_log_format = "%(t)s %(m)s %(U)s %(s)s %(B)s %(D)s"
"""When, what, the answer's status and size, microseconds."""


def post_worker_init(_worker: Any) -> None:
    """What is loaded once stays: a full collection that went through it again would cost a page some 50 ms."""
    gc.collect()
    gc.freeze()


class DiscreetLogger(Logger):
    """gunicorn's logger; what addresses carry of secrets is taken out of every line, its own errors' included."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for logger in (self.error_log, self.access_log):
            logger.addFilter(_hide)


logger_class = DiscreetLogger


def _hide(record: logging.LogRecord) -> bool:
    record.msg, record.args = without_secrets(record.getMessage()), ()
    if record.exc_info:
        record.exc_text = without_secrets(logging.Formatter().formatException(record.exc_info))
    return True
