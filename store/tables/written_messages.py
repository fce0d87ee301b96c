"""The tables of messages that coordinators write.

What goes out is a mail like any other (`messages`); these rows hold what was written, and to whom.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.columns import Base


class WrittenMessageRow(Base):
    """A message that a coordinator has written: a draft, or sent."""

    __tablename__ = "written_messages"
    id: Mapped[str] = mapped_column(primary_key=True)
    cohort: Mapped[str] = mapped_column(index=True)
    by: Mapped[str]
    """Id of who wrote it: replies go there."""
    state: Mapped[str] = mapped_column(default="draft")
    """draft, sent"""
    mentorships: Mapped[list[str]] = mapped_column(default=list)
    """Keys of those that it is about; empty: about the whole cohort."""
    people: Mapped[list[str]] = mapped_column(default=list)
    """Ids of those whom alone it is for; empty: everybody there."""
    subject: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    """Markdown."""
    version: Mapped[int] = mapped_column(default=1)
    """Counted up with each change, so that what is sent is what was looked at."""
    changed_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class MessagePlaceRow(Base):
    """A mentorship that a message to a person is about. One about the whole cohort has none."""

    __tablename__ = "message_places"
    message: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(primary_key=True)
    mentorship: Mapped[str] = mapped_column(primary_key=True)
    cohort: Mapped[str]
    __table_args__ = (Index("ix_message_places_mentorship", "cohort", "mentorship"),)
