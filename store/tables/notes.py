"""The table of what coordinators note for each other."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.columns import Base


class NoteRow(Base):
    """A coordinator's note about a mentorship, or about one person in it. Participants never see it, but get it with
    the rest of their data; it goes when a person of the mentorship is erased."""

    __tablename__ = "notes"
    id: Mapped[str] = mapped_column(primary_key=True)
    """Of the submission: the same note sent twice is one note."""
    cohort: Mapped[str]
    mentorship: Mapped[str]
    person: Mapped[str] = mapped_column(default="")
    """Whom it is about; empty: the mentorship."""
    by: Mapped[str]
    """Id of the coordinator or deputy who wrote it."""
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)
    __table_args__ = (
        ForeignKeyConstraint(["cohort", "mentorship"], ["mentorships.cohort", "mentorships.key"]),
        Index("ix_notes_mentorship", "cohort", "mentorship"),
    )
