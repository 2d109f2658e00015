"""Alembic's environment: the connection comes from the application, the models from every package."""

from __future__ import annotations

from alembic import context

from lti_tool.activities import models as _activities  # noqa: F401
from lti_tool.administration import models as _administration  # noqa: F401
from lti_tool.assessment import models as _assessment  # noqa: F401
from lti_tool.courses import models as _courses  # noqa: F401
from lti_tool.db import Base, db
from lti_tool.frameworks import models as _frameworks  # noqa: F401
from lti_tool.gradebook import models as _gradebook  # noqa: F401
from lti_tool.lti import models as _lti  # noqa: F401

with db.engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
