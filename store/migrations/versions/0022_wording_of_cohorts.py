"""Programs and forms that a cohort words in its own way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.add_column("cohort_files", sa.Column("wording", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    """Go back to the one before."""
    with op.batch_alter_table("cohort_files") as table:
        table.drop_column("wording")
