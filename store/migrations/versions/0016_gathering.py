"""Open calls, applications with their wishes, why a pair was proposed, and tasks about a whole cohort."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "calls",
        sa.Column("cohort", sa.String(), nullable=False),
        sa.Column("opens", sa.Date(), nullable=False),
        sa.Column("closes", sa.Date(), nullable=False),
        sa.Column("wishes_open", sa.Date(), nullable=True),
        sa.Column("wishes_close", sa.Date(), nullable=True),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("form", sa.JSON(), nullable=False),
        sa.Column("matching", sa.JSON(), nullable=False),
        sa.Column("published_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["cohort"], ["cohorts.id"], name=op.f("fk_calls_cohort")),
        sa.PrimaryKeyConstraint("cohort", name=op.f("pk_calls")),
    )
    op.create_table(
        "applications",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("cohort", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("form_version", sa.Integer(), nullable=False),
        sa.Column("invited", sa.Boolean(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("confirmed_at", INSTANT, nullable=True),
        sa.Column("mails", sa.Integer(), nullable=False),
        sa.Column("mailed_on", sa.Date(), nullable=True),
        sa.Column("mails_that_day", sa.Integer(), nullable=False),
        sa.Column("wishes", sa.JSON(), nullable=False),
        sa.Column("would_take", sa.JSON(), nullable=False),
        sa.Column("wished_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["cohort"], ["calls.cohort"], name=op.f("fk_applications_cohort")),
        sa.ForeignKeyConstraint(["person"], ["participants.id"], name=op.f("fk_applications_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_applications")),
        sa.UniqueConstraint("cohort", "person", name=op.f("uq_applications_cohort_person")),
    )
    op.create_index(op.f("ix_applications_person"), "applications", ["person"])
    op.create_index("ix_applications_state", "applications", ["cohort", "state"])
    op.add_column("mentorships", sa.Column("proposed", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("mentorships", sa.Column("because", sa.JSON(), server_default="[]", nullable=False))
    # The task to match a cohort belongs to no mentorship.
    with op.batch_alter_table("tasks") as tasks:
        tasks.drop_constraint("fk_tasks_cohort", type_="foreignkey")


def downgrade() -> None:
    """Go back to the one before."""
    op.execute("DELETE FROM tasks WHERE mentorship = ''")
    with op.batch_alter_table("tasks") as tasks:
        tasks.create_foreign_key(op.f("fk_tasks_cohort"), "mentorships", ["cohort", "mentorship"], ["cohort", "key"])
    op.drop_column("mentorships", "because")
    op.drop_column("mentorships", "proposed")
    op.drop_table("applications")
    op.drop_table("calls")
