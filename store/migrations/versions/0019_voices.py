"""Voices: words that may be shown, who agreed, and where they were shown."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "voices",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("cohort", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("uses", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["cohort"], ["cohorts.id"], name=op.f("fk_voices_cohort")),
        sa.ForeignKeyConstraint(["person"], ["participants.id"], name=op.f("fk_voices_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voices")),
    )
    op.create_index("ix_voices_cohort", "voices", ["cohort"])
    op.create_index("ix_voices_person", "voices", ["person"])
    op.create_table(
        "voice_consents",
        sa.Column("voice", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["participants.id"], name=op.f("fk_voice_consents_person")),
        sa.ForeignKeyConstraint(["voice"], ["voices.id"], name=op.f("fk_voice_consents_voice")),
        sa.PrimaryKeyConstraint("voice", "person", name=op.f("pk_voice_consents")),
    )
    op.create_index("ix_voice_consents_person", "voice_consents", ["person"])
    op.create_table(
        "voice_uses",
        sa.Column("voice", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["voice"], ["voices.id"], name=op.f("fk_voice_uses_voice")),
        sa.PrimaryKeyConstraint("voice", "place", name=op.f("pk_voice_uses")),
    )


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_table("voice_uses")
    op.drop_index("ix_voice_consents_person", "voice_consents")
    op.drop_table("voice_consents")
    op.drop_index("ix_voices_person", "voices")
    op.drop_index("ix_voices_cohort", "voices")
    op.drop_table("voices")
