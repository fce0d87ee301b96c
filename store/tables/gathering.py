"""The tables of open calls and of those who applied."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.columns import Base


class CallRow(Base):
    """The open call of a cohort, as its file said when it was last launched. Dates are in the cohort's zone."""

    __tablename__ = "calls"
    cohort: Mapped[str] = mapped_column(ForeignKey("cohorts.id"), primary_key=True)
    opens: Mapped[date]
    closes: Mapped[date]
    wishes_open: Mapped[date | None]
    """None: nobody is asked for wishes."""
    wishes_close: Mapped[date | None]
    terms: Mapped[dict[str, Any]]
    """`store.cohorts.calls.Terms`: who can apply, and how many. No address."""
    form: Mapped[dict[str, Any]]
    """The form of the application, as `program.forms.Form` dumps itself."""
    matching: Mapped[dict[str, Any]]
    """`program.matching.Matching` of the cohort's program."""
    published_at: Mapped[datetime | None]
    """When the pairs were published; None before."""
    applied: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    """How many of those who applied got a seat when the pairs were published (`reports.rows.Lot`): numbers only. They
    stay when the applications are deleted. None before."""


class ApplicationRow(Base):
    """One person's application to a cohort; personal data."""

    __tablename__ = "applications"
    id: Mapped[str] = mapped_column(primary_key=True)
    """Stands in the signed link; `about` of the items that bring it. It says nothing about the person."""
    cohort: Mapped[str] = mapped_column(ForeignKey("calls.cohort"))
    person: Mapped[str] = mapped_column(ForeignKey("participants.id"), index=True)
    state: Mapped[str]
    """invited (asked, has not applied), unconfirmed, confirmed, waiting (on the waiting list), withdrawn"""
    role: Mapped[str] = mapped_column(default="")
    """mentor, mentee, both, peer; empty while only invited"""
    name: Mapped[str] = mapped_column(default="")
    """As typed; becomes the person's when the address is confirmed and the person is new."""
    body: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Question to answer."""
    form_version: Mapped[int] = mapped_column(default=1)
    invited: Mapped[bool] = mapped_column(default=False)
    """Whether the cohort's file invites this address."""
    at: Mapped[datetime]
    """When it was sent last, or the person was invited."""
    confirmed_at: Mapped[datetime | None]
    mails: Mapped[int] = mapped_column(default=0)
    """How many mails this address asked for through the page."""
    mailed_on: Mapped[date | None]
    """The last day of those (UTC), and how many there were on it."""
    mails_that_day: Mapped[int] = mapped_column(default=0)
    wishes: Mapped[list[str]] = mapped_column(default=list)
    """Ids of mentors whom this mentee wishes for, the first wish first."""
    would_take: Mapped[list[str]] = mapped_column(default=list)
    """Ids of mentees whom this mentor would gladly take."""
    wished_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("cohort", "person", name="uq_applications_cohort_person"),
        Index("ix_applications_state", "cohort", "state"),
    )


class MatchingDraftRow(Base):
    """One version of the pairs that coordinators review before they are published. Ids only."""

    __tablename__ = "matching_drafts"
    cohort: Mapped[str] = mapped_column(ForeignKey("calls.cohort"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    """Counts from 1."""
    pins: Mapped[list[list[str]]] = mapped_column(JSON)
    """(mentor, mentee) of pairs that are locked."""
    bans: Mapped[list[list[str]]] = mapped_column(JSON)
    """(mentor, mentee) of pairs that are never made."""
    pairs: Mapped[list[list[str]]] = mapped_column(JSON)
    """(mentor, mentee) of the pairs; in a program of peers the two peers."""
    act: Mapped[str]
    """What made it: match, lock, unlock, ban, unban"""
    by: Mapped[str]
    at: Mapped[datetime]
    """UTC."""
