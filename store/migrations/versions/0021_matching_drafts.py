"""Versions of the pairs that coordinators review before they publish them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "matching_drafts",
        sa.Column("cohort", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("pins", sa.JSON(), nullable=False),
        sa.Column("bans", sa.JSON(), nullable=False),
        sa.Column("pairs", sa.JSON(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["cohort"], ["calls.cohort"], name=op.f("fk_matching_drafts_cohort")),
        sa.PrimaryKeyConstraint("cohort", "version", name=op.f("pk_matching_drafts")),
    )


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_table("matching_drafts")
