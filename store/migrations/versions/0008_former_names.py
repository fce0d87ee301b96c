"""Names and addresses that a person had before, so that erasing finds them in what others wrote."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "former_names",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["participants.id"], name=op.f("fk_former_names_person")),
        sa.PrimaryKeyConstraint("person", "field", "value", name=op.f("pk_former_names")),
    )


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_table("former_names")
