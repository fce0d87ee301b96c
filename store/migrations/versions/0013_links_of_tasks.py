"""An id for each task that a link may show: it says nothing of the task."""

from __future__ import annotations

from base64 import b32encode
from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.add_column("tasks", sa.Column("public_id", sa.String(), server_default="", nullable=False))
    op.create_index("ix_tasks_public_id", "tasks", ["public_id"])
    connection = op.get_bind()
    keys = connection.execute(sa.text("SELECT key FROM tasks")).scalars().all()
    rows = [{"id": b32encode(sha256(key.encode()).digest()).decode()[:16].lower(), "key": key} for key in keys]
    if rows:
        connection.execute(sa.text("UPDATE tasks SET public_id = :id WHERE key = :key"), rows)


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_index("ix_tasks_public_id", "tasks")
    op.drop_column("tasks", "public_id")
