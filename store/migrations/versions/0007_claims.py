"""Whose claim a mail is, whether its body has gone out, and how often an item could not be worded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision. Of mails that are being sent nobody can know: their bodies count as gone out."""
    op.add_column("messages", sa.Column("claim", sa.String(), server_default="", nullable=False))
    op.add_column("messages", sa.Column("body_begun", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute(sa.text("UPDATE messages SET body_begun = true WHERE state = 'sending'"))
    op.add_column("items", sa.Column("failures", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_column("items", "failures")
    op.drop_column("messages", "body_begun")
    op.drop_column("messages", "claim")
