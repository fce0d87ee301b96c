"""What going over to another version of a program needs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.add_column("mentorships", sa.Column("first_hash", sa.String(), server_default="", nullable=False))
    op.add_column("requests", sa.Column("program_hash", sa.String(), server_default="", nullable=False))


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_column("requests", "program_hash")
    op.drop_column("mentorships", "first_hash")
