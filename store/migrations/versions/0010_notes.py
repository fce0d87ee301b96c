"""Notes that coordinators write for each other."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "notes",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("cohort", sa.String(), nullable=False),
        sa.Column("mentorship", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort", "mentorship"], ["mentorships.cohort", "mentorships.key"], name=op.f("fk_notes_cohort")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
    )
    op.create_index("ix_notes_mentorship", "notes", ["cohort", "mentorship"])


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_index("ix_notes_mentorship", "notes")
    op.drop_table("notes")
