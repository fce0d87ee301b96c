"""How many of those who applied got a seat, kept when the pairs are published."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.add_column("calls", sa.Column("applied", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Go back to the one before."""
    with op.batch_alter_table("calls") as table:
        table.drop_column("applied")
