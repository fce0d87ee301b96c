"""The table of absences."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from store.columns import Base


class AbsenceRow(Base):
    """An absence that somebody stated on a form: from the first day to the last, both included, in their own zone."""

    __tablename__ = "absences"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    person: Mapped[str] = mapped_column(ForeignKey("participants.id"), index=True)
    cohort: Mapped[str]
    mentorship: Mapped[str]
    ask: Mapped[str]
    """Name of the form."""
    number: Mapped[int]
    """Of the occasion; 0 for the agreement, of which all versions are one."""
    first_day: Mapped[date]
    last_day: Mapped[date]
    at: Mapped[datetime]
    """When it was stated."""
