"""Mail templates that a cohort has of its own, and who coordinates by a version of its file."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "mail_templates",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_mail_templates")),
    )
    op.add_column("cohort_files", sa.Column("staff", sa.JSON(), server_default="[]", nullable=False))
    op.add_column("cohorts", sa.Column("mails", sa.String(), server_default="", nullable=False))


def downgrade() -> None:
    """Go back to the one before."""
    with op.batch_alter_table("cohorts") as table:
        table.drop_column("mails")
    with op.batch_alter_table("cohort_files") as table:
        table.drop_column("staff")
    op.drop_table("mail_templates")
