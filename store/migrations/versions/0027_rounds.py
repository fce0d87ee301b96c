"""How many rounds each postmaster has begun."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.add_column("postmasters", sa.Column("rounds", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Go back to the one before."""
    with op.batch_alter_table("postmasters") as table:
        table.drop_column("rounds")
