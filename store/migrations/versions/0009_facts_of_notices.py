"""What a notice is checked against when it is delivered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    for fact in (
        sa.Column("ending_decided", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("last_life", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agreement_open", sa.Integer(), server_default="0", nullable=False),
        sa.Column("agreement_in_force", sa.Integer(), server_default="0", nullable=False),
    ):
        op.add_column("mentorships", fact)
    # Of mentorships that run: what was queued about their agreement must not look untrue.
    op.execute(
        "UPDATE mentorships SET agreement_open = coalesce((SELECT max(steps.number) FROM steps"
        " WHERE steps.cohort = mentorships.cohort AND steps.mentorship = mentorships.key"
        " AND steps.name = 'agreement' AND steps.state = 'open'), 0)"
    )
    op.execute(
        "UPDATE mentorships SET agreement_in_force = coalesce((SELECT max(items.number) FROM items"
        " WHERE items.cohort = mentorships.cohort AND items.mentorship = mentorships.key"
        " AND items.name = 'agreement_concluded'), 0)"
    )


def downgrade() -> None:
    """Go back to the one before."""
    for name in ("agreement_in_force", "agreement_open", "last_life", "ending_decided"):
        op.drop_column("mentorships", name)
