"""Messages that coordinators write."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "written_messages",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("cohort", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("mentorships", sa.JSON(), nullable=False),
        sa.Column("people", sa.JSON(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_written_messages")),
    )
    op.create_index(op.f("ix_written_messages_cohort"), "written_messages", ["cohort"])
    op.create_table(
        "message_places",
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("mentorship", sa.String(), nullable=False),
        sa.Column("cohort", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("message", "person", "mentorship", name=op.f("pk_message_places")),
    )
    op.create_index("ix_message_places_mentorship", "message_places", ["cohort", "mentorship"])


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_table("message_places")
    op.drop_table("written_messages")
