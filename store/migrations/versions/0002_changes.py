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


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_table("entries")
