"""Indexes by which the figures of a cohort are counted."""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.create_index("ix_requests_figures", "requests", ["cohort", "ask", "state", "mentorship"])
    op.create_index("ix_items_figures", "items", ["cohort", "state"])


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_index("ix_items_figures", "items")
    op.drop_index("ix_requests_figures", "requests")
