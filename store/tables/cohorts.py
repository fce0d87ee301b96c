"""The tables of people, programs and cohorts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from store.columns import Base


class ParticipantRow(Base):
    """A person who gets mail: participant, coordinator or deputy. One row for one human being."""

    __tablename__ = "participants"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(index=True)
    zone: Mapped[str]
    language: Mapped[str] = mapped_column(default="en")
    profile: Mapped[dict[str, Any]] = mapped_column(default=dict)
    standing: Mapped[str] = mapped_column(default="active")
    """active, left, erased, bounced"""
    reminders_stopped: Mapped[bool] = mapped_column(default=False)
    generation: Mapped[int] = mapped_column(default=1)
    """Raised to revoke every link of this person."""
    last_mail_on: Mapped[date | None]
    """Local date of the last ordinary mail (lifecycle 2.5 d)."""
    corrections: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often the address was corrected. A mail to the new one is another mail than the one to the old."""


class ProgramRow(Base):
    """A program version, frozen with its forms at launch; `hash` is that of the content."""

    __tablename__ = "programs"
    program: Mapped[str] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]]
    forms: Mapped[dict[str, Any]]
    """Form id to form, as the models of `program.forms` dump themselves."""
    frozen_at: Mapped[datetime]


class CohortRow(Base):
    """A launched cohort."""

    __tablename__ = "cohorts"
    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    organisation: Mapped[str] = mapped_column(default="")
    program: Mapped[str]
    program_hash: Mapped[str]
    zone: Mapped[str]
    language: Mapped[str] = mapped_column(default="en")
    start: Mapped[date]
    holidays: Mapped[list[str]] = mapped_column(default=list)
    letterbox: Mapped[dict[str, Any]]
    """`program.models.Letterbox` of the cohort's program."""
    launched_on: Mapped[date]
    launched_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="running")
    """running, cancelled, over"""
    mails: Mapped[str] = mapped_column(default="", server_default="")
    """Digest of the cohort's own mail templates; empty where its mails have the words of the installation."""


class CohortPersonRow(Base):
    """Who coordinates a cohort: role `coordinator` or `deputy`."""

    __tablename__ = "cohort_people"
    cohort: Mapped[str] = mapped_column(ForeignKey("cohorts.id"), primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("participants.id"), primary_key=True)
    role: Mapped[str]


class EntryRow(Base):
    """What the file of a cohort said of a person or a mentorship when it was last launched: by this a later launch
    tells what its coordinator changed from what has happened since. Of names and addresses only marks."""

    __tablename__ = "entries"
    cohort: Mapped[str] = mapped_column(ForeignKey("cohorts.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    """person, mentorship, cohort"""
    id: Mapped[str] = mapped_column(primary_key=True)
    said: Mapped[dict[str, Any]]
