"""What reports for passing on have shown, and what coordinators change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "report_releases",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("cohort", sa.String(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shown", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["cohort"], ["cohorts.id"], name=op.f("fk_report_releases_cohort")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_releases")),
    )
    op.create_index("ix_report_releases_cohort", "report_releases", ["cohort"])
    op.create_table(
        "report_changes",
        sa.Column("cohort", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["cohort"], ["cohorts.id"], name=op.f("fk_report_changes_cohort")),
        sa.PrimaryKeyConstraint("cohort", name=op.f("pk_report_changes")),
    )


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_table("report_changes")
    op.drop_index("ix_report_releases_cohort", "report_releases")
    op.drop_table("report_releases")
