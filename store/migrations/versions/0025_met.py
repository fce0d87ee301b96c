"""Which answers say that people have met, and an index by which the latest answers are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

FIGURES = ["cohort", "ask", "state", "mentorship"]
REQUESTS = sa.table("requests", sa.column("key"), sa.column("ask"), sa.column("state"), sa.column("met", sa.Boolean))
ANSWERS = sa.table("answers", sa.column("request"), sa.column("version", sa.Integer), sa.column("body", sa.JSON))


def upgrade() -> None:
    """Go to this revision."""
    op.add_column("requests", sa.Column("met", sa.Boolean(), server_default=sa.false(), nullable=False))
    later = ANSWERS.alias()
    met = sa.or_(ANSWERS.c.body["p_met"].as_string() != "0", ANSWERS.c.body["f_contact"].as_string() == "met")
    last = ~sa.exists().where(later.c.request == ANSWERS.c.request, later.c.version > ANSWERS.c.version)
    op.execute(
        sa.update(REQUESTS)
        .where(REQUESTS.c.ask.in_(("check_in", "fit_check")), REQUESTS.c.state == "answered")
        .where(sa.exists().where(ANSWERS.c.request == REQUESTS.c.key, met, last))
        .values(met=True)
    )
    op.drop_index("ix_requests_figures", "requests")
    op.create_index("ix_requests_figures", "requests", [*FIGURES, "met"])
    op.create_index("ix_answers_at", "answers", ["at"])


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_index("ix_answers_at", "answers")
    op.drop_index("ix_requests_figures", "requests")
    op.create_index("ix_requests_figures", "requests", FIGURES)
    with op.batch_alter_table("requests") as table:
        table.drop_column("met")
