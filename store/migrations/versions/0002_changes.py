"""What changing a running program needs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "entries",
        sa.Column("cohort", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("said", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["cohort"], ["cohorts.id"], name=op.f("fk_entries_cohort")),
        sa.PrimaryKeyConstraint("cohort", "kind", "id", name=op.f("pk_entries")),
    )
    op.add_column("participants", sa.Column("corrections", sa.Integer(), server_default="0", nullable=False))
    op.add_column("mentorships", sa.Column("erasures", sa.Integer(), server_default="0", nullable=False))
    op.add_column("messages", sa.Column("bounce", sa.String(), server_default="", nullable=False))
    op.add_column("messages", sa.Column("forget", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("mentorships", sa.Column("turn_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("mentorships", sa.Column("furthest", sa.Integer(), server_default="0", nullable=False))
    op.execute("UPDATE mentorships SET furthest = turn")
    op.add_column("events", sa.Column("turn", sa.Integer(), server_default="0", nullable=False))
    op.add_column("outcomes", sa.Column("turn", sa.Integer(), server_default="0", nullable=False))
    op.add_column("tasks", sa.Column("turn", sa.Integer(), server_default="0", nullable=False))
    op.add_column("tasks", sa.Column("closed_in", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    """Go back to the one before."""
    for table, column in (
        ("tasks", "closed_in"),
        ("tasks", "turn"),
        ("outcomes", "turn"),
        ("events", "turn"),
        ("mentorships", "furthest"),
        ("mentorships", "turn_at"),
        ("messages", "forget"),
        ("messages", "bounce"),
        ("mentorships", "erasures"),
        ("participants", "corrections"),
    ):
        op.drop_column(table, column)
    op.drop_table("entries")
