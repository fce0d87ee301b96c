"""The tables of voices: what somebody said that may be shown, who agreed to it, and where it was used."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.columns import Base


class VoiceRow(Base):
    """A story in the words of one person, which a coordinator would like to show."""

    __tablename__ = "voices"
    id: Mapped[str] = mapped_column(primary_key=True)
    """Stands in the links of its mails."""
    cohort: Mapped[str] = mapped_column(ForeignKey("cohorts.id"), index=True)
    person: Mapped[str] = mapped_column(ForeignKey("participants.id"), index=True)
    """Whose words they are."""
    text: Mapped[str] = mapped_column(Text)
    uses: Mapped[list[str]]
    """Where it may be shown: report, web, print."""
    by: Mapped[str]
    """Id of the coordinator or deputy who asked."""
    asked_at: Mapped[datetime]


class VoiceConsentRow(Base):
    """What one person says to a voice: whose words they are, or who is named in it."""

    __tablename__ = "voice_consents"
    voice: Mapped[str] = mapped_column(ForeignKey("voices.id"), primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("participants.id"), primary_key=True, index=True)
    answer: Mapped[str] = mapped_column(default="")
    """named, unnamed, no, withdrawn; empty while nothing was said"""
    at: Mapped[datetime | None]
    until: Mapped[date | None]
    """The last day on which a yes counts, in the cohort's zone."""


class VoiceUseRow(Base):
    """A place where a voice was shown: what has to be looked at when a consent ends."""

    __tablename__ = "voice_uses"
    voice: Mapped[str] = mapped_column(ForeignKey("voices.id"), primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    by: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
