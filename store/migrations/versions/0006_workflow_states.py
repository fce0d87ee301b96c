"""What the workflow of a mentorship remembers, and since when it has been missing in Temporal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.add_column("mentorships", sa.Column("lost_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("mentorships", sa.Column("workflow_state", sa.Text(), nullable=True))


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_column("mentorships", "workflow_state")
    op.drop_column("mentorships", "lost_since")
