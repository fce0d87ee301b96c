"""Who may read a cohort, who is signed in, and one-time links."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "cohort_readers",
        sa.Column("cohort", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["cohort"], ["cohorts.id"], name=op.f("fk_cohort_readers_cohort")),
        sa.ForeignKeyConstraint(["person"], ["participants.id"], name=op.f("fk_cohort_readers_person")),
        sa.PrimaryKeyConstraint("cohort", "person", name=op.f("pk_cohort_readers")),
    )
    op.create_index(op.f("ix_cohort_readers_person"), "cohort_readers", ["person"])
    op.create_table(
        "sessions",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("granted", sa.JSON(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("proof", sa.String(), nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
        sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sessions")),
        sa.UniqueConstraint("id", name=op.f("uq_sessions_id")),
    )
    op.create_index(op.f("ix_sessions_account"), "sessions", ["account"])
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("link", sa.String(), nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("granted", sa.JSON(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ins")),
        sa.UniqueConstraint("link", name=op.f("uq_sign_ins_link")),
    )
    op.create_index(op.f("ix_sign_ins_browser"), "sign_ins", ["browser"])
    op.create_index("ix_sign_ins_mark", "sign_ins", ["mark", "asked_at"])
    op.create_index("ix_sign_ins_sender", "sign_ins", ["sender", "asked_at"])


def downgrade() -> None:
    """Go back to the one before."""
    for name in ("sign_ins", "sessions", "cohort_readers"):
        op.drop_table(name)
