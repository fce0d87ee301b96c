"""A pause that begins later."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.add_column("mentorships", sa.Column("pause_ahead", sa.String(), server_default="", nullable=False))


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_column("mentorships", "pause_ahead")
