"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "framework",
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("short_title", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("source", sa.JSON(), nullable=False),
        sa.Column("guide", sa.JSON(), nullable=False),
        sa.Column("checksum", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_framework")),
        sa.UniqueConstraint("slug", name=op.f("uq_framework_slug")),
        sa.UniqueConstraint("uuid", name=op.f("uq_framework_uuid")),
    )
    op.create_table(
        "platform",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("auth_login_url", sa.Text(), nullable=False),
        sa.Column("auth_token_url", sa.Text(), nullable=False),
        sa.Column("jwks_url", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("frame_origins", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform")),
        sa.UniqueConstraint("issuer", "client_id", name=op.f("uq_platform_issuer_client_id")),
    )
    op.create_table(
        "tool_key",
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("private_pem", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tool_key")),
        sa.UniqueConstraint("kid", name=op.f("uq_tool_key_kid")),
    )
    op.create_table(
        "deployment",
        sa.Column("platform_id", sa.Integer(), nullable=False),
        sa.Column("deployment_id", sa.String(length=255), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["platform_id"], ["platform.id"], name=op.f("fk_deployment_platform_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployment")),
        sa.UniqueConstraint(
            "platform_id", "deployment_id", name=op.f("uq_deployment_platform_id_deployment_id")
        ),
    )
    op.create_table(
        "framework_item",
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("framework_id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("label", sa.String(length=255), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("also_under", sa.JSON(), nullable=False),
        sa.Column("pairing_unknown", sa.Boolean(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["framework_id"], ["framework.id"], name=op.f("fk_framework_item_framework_id")
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["framework_item.id"], name=op.f("fk_framework_item_parent_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_framework_item")),
        sa.UniqueConstraint("uuid", name=op.f("uq_framework_item_uuid")),
    )
    with op.batch_alter_table("framework_item", schema=None) as batch_op:
        batch_op.create_index("ix_framework_item_framework_type", ["framework_id", "type"], unique=False)
        batch_op.create_index(batch_op.f("ix_framework_item_parent_id"), ["parent_id"], unique=False)

    op.create_table(
        "login",
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("nonce_hash", sa.String(length=64), nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("platform_id", sa.Integer(), nullable=False),
        sa.Column("target_link_uri", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["platform_id"], ["platform.id"], name=op.f("fk_login_platform_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login")),
        sa.UniqueConstraint("state_hash", name=op.f("uq_login_state_hash")),
    )
    with op.batch_alter_table("login", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_login_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "person",
        sa.Column("platform_id", sa.Integer(), nullable=False),
        sa.Column("sub", sa.String(length=255), nullable=False),
        sa.Column("given_name", sa.String(length=255), nullable=False),
        sa.Column("family_name", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["platform_id"], ["platform.id"], name=op.f("fk_person_platform_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("platform_id", "sub", name=op.f("uq_person_platform_id_sub")),
    )
    op.create_table(
        "platform_pause",
        sa.Column("platform_id", sa.Integer(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["platform_id"], ["platform.id"], name=op.f("fk_platform_pause_platform_id")),
        sa.PrimaryKeyConstraint("platform_id", name=op.f("pk_platform_pause")),
    )
    op.create_table(
        "course",
        sa.Column("platform_id", sa.Integer(), nullable=False),
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("context_id", sa.String(length=255), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("label", sa.String(length=255), nullable=False),
        sa.Column("framework_slug", sa.String(length=64), nullable=False),
        sa.Column("lineitems_url", sa.Text(), nullable=False),
        sa.Column("ags_scopes", sa.JSON(), nullable=False),
        sa.Column("memberships_url", sa.Text(), nullable=False),
        sa.Column("roster_read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("roster_problem", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["deployment_id"], ["deployment.id"], name=op.f("fk_course_deployment_id")),
        sa.ForeignKeyConstraint(["platform_id"], ["platform.id"], name=op.f("fk_course_platform_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course")),
        sa.UniqueConstraint("deployment_id", "context_id", name=op.f("uq_course_deployment_id_context_id")),
    )
    with op.batch_alter_table("course", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_course_platform_id"), ["platform_id"], unique=False)

    op.create_table(
        "item_association",
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("framework_id", sa.Integer(), nullable=False),
        sa.Column("origin_id", sa.Integer(), nullable=False),
        sa.Column("destination_id", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("grouping", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["destination_id"], ["framework_item.id"], name=op.f("fk_item_association_destination_id")
        ),
        sa.ForeignKeyConstraint(
            ["framework_id"], ["framework.id"], name=op.f("fk_item_association_framework_id")
        ),
        sa.ForeignKeyConstraint(
            ["origin_id"], ["framework_item.id"], name=op.f("fk_item_association_origin_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_association")),
        sa.UniqueConstraint(
            "origin_id",
            "destination_id",
            "type",
            name=op.f("uq_item_association_origin_id_destination_id_type"),
        ),
        sa.UniqueConstraint("uuid", name=op.f("uq_item_association_uuid")),
    )
    with op.batch_alter_table("item_association", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_item_association_destination_id"), ["destination_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_item_association_framework_id"), ["framework_id"], unique=False)

    op.create_table(
        "see_also",
        sa.Column("origin_id", sa.Integer(), nullable=False),
        sa.Column("side", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("destination_id", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["destination_id"], ["framework_item.id"], name=op.f("fk_see_also_destination_id")
        ),
        sa.ForeignKeyConstraint(["origin_id"], ["framework_item.id"], name=op.f("fk_see_also_origin_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_see_also")),
        sa.UniqueConstraint(
            "origin_id", "side", "type", "position", name=op.f("uq_see_also_origin_id_side_type_position")
        ),
    )
    op.create_table(
        "activity",
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("situation", sa.Text(), nullable=False),
        sa.Column("work_url", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("setting", sa.String(length=16), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("complexity", sa.Integer(), nullable=False),
        sa.Column("specialities", sa.JSON(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("complexity BETWEEN 1 AND 3", name=op.f("ck_activity_complexity")),
        sa.CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name=op.f("ck_activity_period")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_activity_course_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_activity_created_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity")),
        sa.UniqueConstraint("uuid", name=op.f("uq_activity_uuid")),
    )
    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_activity_course_id"), ["course_id"], unique=False)

    op.create_table(
        "enrolment",
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column(
            "role",
            sa.Enum("teacher", "assessor", "learner", "observer", name="role", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("in_roster", sa.Boolean(), nullable=False),
        sa.Column("launched_as", sa.String(length=16), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("launched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_enrolment_course_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_enrolment_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment")),
        sa.UniqueConstraint("course_id", "number", name=op.f("uq_enrolment_course_id_number")),
        sa.UniqueConstraint("course_id", "person_id", name=op.f("uq_enrolment_course_id_person_id")),
    )
    with op.batch_alter_table("enrolment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_enrolment_person_id"), ["person_id"], unique=False)

    op.create_table(
        "gradebook_settings",
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("sending", sa.Boolean(), nullable=False),
        sa.Column("conversion", sa.String(length=16), nullable=False),
        sa.Column("table", sa.JSON(), nullable=False),
        sa.Column("table_maximum", sa.Integer(), nullable=False),
        sa.Column("minimum", sa.Integer(), nullable=False),
        sa.CheckConstraint("minimum >= 1", name=op.f("ck_gradebook_settings_minimum")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_gradebook_settings_course_id")),
        sa.PrimaryKeyConstraint("course_id", name=op.f("pk_gradebook_settings")),
    )
    op.create_table(
        "line_item",
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("label", sa.String(length=255), nullable=False),
        sa.Column("maximum", sa.Integer(), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("lost", sa.Boolean(), nullable=False),
        sa.Column("busy_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("renewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_line_item_course_id")),
        sa.ForeignKeyConstraint(["item_id"], ["framework_item.id"], name=op.f("fk_line_item_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_line_item")),
        sa.UniqueConstraint("course_id", "item_id", name=op.f("uq_line_item_course_id_item_id")),
    )
    op.create_table(
        "resource_link",
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("link_id", sa.String(length=255), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("lineitem_url", sa.Text(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_resource_link_course_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resource_link")),
        sa.UniqueConstraint("course_id", "link_id", name=op.f("uq_resource_link_course_id_link_id")),
    )
    op.create_table(
        "score_delivery",
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("score", sa.Numeric(precision=6, scale=2), nullable=True),
        sa.Column("maximum", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "sending",
                "sent",
                "refused",
                "changed",
                "kept",
                "replaced",
                name="deliverystate",
                native_enum=False,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("lms_score", sa.Numeric(precision=8, scale=2), nullable=True),
        sa.Column("forced", sa.Boolean(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_score_delivery_course_id")),
        sa.ForeignKeyConstraint(["item_id"], ["framework_item.id"], name=op.f("fk_score_delivery_item_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_score_delivery_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_delivery")),
    )
    with op.batch_alter_table("score_delivery", schema=None) as batch_op:
        batch_op.create_index(
            "ix_score_delivery_cell", ["course_id", "item_id", "person_id", "id"], unique=False
        )
        batch_op.create_index("ix_score_delivery_due", ["state", "not_before"], unique=False)
        batch_op.create_index(
            "uq_score_delivery_sending",
            ["course_id", "item_id", "person_id"],
            unique=True,
            sqlite_where=sa.text("state = 'sending'"),
            postgresql_where=sa.text("state = 'sending'"),
        )
        batch_op.create_index(
            "uq_score_delivery_waiting",
            ["course_id", "item_id", "person_id"],
            unique=True,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )

    op.create_table(
        "activity_competence",
        sa.Column("activity_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activity.id"], name=op.f("fk_activity_competence_activity_id")
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["framework_item.id"], name=op.f("fk_activity_competence_item_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity_competence")),
        sa.UniqueConstraint(
            "activity_id", "item_id", name=op.f("uq_activity_competence_activity_id_item_id")
        ),
    )
    with op.batch_alter_table("activity_competence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_activity_competence_item_id"), ["item_id"], unique=False)

    op.create_table(
        "activity_link",
        sa.Column("resource_link_id", sa.Integer(), nullable=False),
        sa.Column("activity_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["activity_id"], ["activity.id"], name=op.f("fk_activity_link_activity_id")),
        sa.ForeignKeyConstraint(
            ["resource_link_id"], ["resource_link.id"], name=op.f("fk_activity_link_resource_link_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity_link")),
        sa.UniqueConstraint("resource_link_id", name=op.f("uq_activity_link_resource_link_id")),
    )
    with op.batch_alter_table("activity_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_activity_link_activity_id"), ["activity_id"], unique=False)

    op.create_table(
        "assessment",
        sa.Column("key", sa.String(length=36), nullable=False),
        sa.Column("activity_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("assessor_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=True),
        sa.Column("code", sa.String(length=4), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "code IS NULL OR code IN ('ABS', 'DISP', 'NE', 'NF', 'NR')", name=op.f("ck_assessment_code")
        ),
        sa.CheckConstraint("level IS NULL OR code IS NULL", name=op.f("ck_assessment_level_or_code")),
        sa.CheckConstraint("level IS NULL OR level BETWEEN 1 AND 4", name=op.f("ck_assessment_level")),
        sa.ForeignKeyConstraint(["activity_id"], ["activity.id"], name=op.f("fk_assessment_activity_id")),
        sa.ForeignKeyConstraint(["assessor_id"], ["person.id"], name=op.f("fk_assessment_assessor_id")),
        sa.ForeignKeyConstraint(["item_id"], ["framework_item.id"], name=op.f("fk_assessment_item_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_assessment_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment")),
        sa.UniqueConstraint("key", name=op.f("uq_assessment_key")),
    )
    with op.batch_alter_table("assessment", schema=None) as batch_op:
        batch_op.create_index(
            "ix_assessment_cell", ["activity_id", "person_id", "item_id", "id"], unique=False
        )
        batch_op.create_index(
            "ix_assessment_turns", ["person_id", "item_id", "activity_id", "id"], unique=False
        )

    op.create_table(
        "launch_session",
        sa.Column("sid_hash", sa.String(length=64), nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("resource_link_id", sa.Integer(), nullable=True),
        sa.Column(
            "role",
            sa.Enum("teacher", "assessor", "learner", "observer", name="role", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("return_url", sa.Text(), nullable=False),
        sa.Column("custom", sa.JSON(), nullable=False),
        sa.Column("deep_linking", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_launch_session_course_id")),
        sa.ForeignKeyConstraint(
            ["deployment_id"], ["deployment.id"], name=op.f("fk_launch_session_deployment_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_launch_session_person_id")),
        sa.ForeignKeyConstraint(
            ["resource_link_id"], ["resource_link.id"], name=op.f("fk_launch_session_resource_link_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_launch_session")),
        sa.UniqueConstraint("sid_hash", name=op.f("uq_launch_session_sid_hash")),
    )
    with op.batch_alter_table("launch_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_launch_session_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "observed_item",
        sa.Column("activity_competence_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_competence_id"],
            ["activity_competence.id"],
            name=op.f("fk_observed_item_activity_competence_id"),
        ),
        sa.ForeignKeyConstraint(["item_id"], ["framework_item.id"], name=op.f("fk_observed_item_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_observed_item")),
        sa.UniqueConstraint(
            "activity_competence_id", "item_id", name=op.f("uq_observed_item_activity_competence_id_item_id")
        ),
    )
    _forbid_updates()


def _forbid_updates() -> None:
    """Assessments are only added: the database itself refuses to change one."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER assessment_append_only BEFORE UPDATE ON assessment "
            "BEGIN SELECT RAISE(ABORT, 'assessments are only added'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION assessment_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'assessments are only added'; END $$"
    )
    op.execute(
        "CREATE TRIGGER assessment_append_only BEFORE UPDATE ON assessment "
        "FOR EACH ROW EXECUTE FUNCTION assessment_append_only()"
    )


def downgrade() -> None:
    op.drop_table("observed_item")
    with op.batch_alter_table("launch_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_launch_session_expires_at"))

    op.drop_table("launch_session")
    with op.batch_alter_table("assessment", schema=None) as batch_op:
        batch_op.drop_index("ix_assessment_turns")
        batch_op.drop_index("ix_assessment_cell")

    op.drop_table("assessment")
    with op.batch_alter_table("activity_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_activity_link_activity_id"))

    op.drop_table("activity_link")
    with op.batch_alter_table("activity_competence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_activity_competence_item_id"))

    op.drop_table("activity_competence")
    with op.batch_alter_table("score_delivery", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_score_delivery_waiting",
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )
        batch_op.drop_index(
            "uq_score_delivery_sending",
            sqlite_where=sa.text("state = 'sending'"),
            postgresql_where=sa.text("state = 'sending'"),
        )
        batch_op.drop_index("ix_score_delivery_due")
        batch_op.drop_index("ix_score_delivery_cell")

    op.drop_table("score_delivery")
    op.drop_table("resource_link")
    op.drop_table("line_item")
    op.drop_table("gradebook_settings")
    with op.batch_alter_table("enrolment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_enrolment_person_id"))

    op.drop_table("enrolment")
    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_activity_course_id"))

    op.drop_table("activity")
    op.drop_table("see_also")
    with op.batch_alter_table("item_association", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_item_association_framework_id"))
        batch_op.drop_index(batch_op.f("ix_item_association_destination_id"))

    op.drop_table("item_association")
    with op.batch_alter_table("course", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_course_platform_id"))

    op.drop_table("course")
    op.drop_table("platform_pause")
    op.drop_table("person")
    with op.batch_alter_table("login", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_login_expires_at"))

    op.drop_table("login")
    with op.batch_alter_table("framework_item", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_framework_item_parent_id"))
        batch_op.drop_index("ix_framework_item_framework_type")

    op.drop_table("framework_item")
    op.drop_table("deployment")
    op.drop_table("tool_key")
    op.drop_table("platform")
    op.drop_table("framework")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION assessment_append_only()")
