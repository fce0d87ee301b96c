"""The tables of forms: what is asked, what was answered, and agreements with their versions."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from store.columns import Base


class RequestRow(Base):
    """One participant, one form, one occasion; `public_id` stands in the signed link."""

    __tablename__ = "requests"
    key: Mapped[str] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True)
    generation: Mapped[int] = mapped_column(default=1)
    cohort: Mapped[str]
    mentorship: Mapped[str]
    ask: Mapped[str]
    number: Mapped[int]
    step: Mapped[str] = mapped_column(index=True)
    person: Mapped[str] = mapped_column(ForeignKey("participants.id"), index=True)
    role: Mapped[str]
    early: Mapped[bool] = mapped_column(default=False)
    opens: Mapped[date]
    closes: Mapped[date]
    closes_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="open")
    """open, answered, closed, withdrawn, superseded"""
    answered_at: Mapped[datetime | None]
    mails: Mapped[int] = mapped_column(default=0)
    """How many mails carried it (lifecycle 2.8)."""
    last_mail_on: Mapped[date | None]
    """Local date of the last mail about it (lifecycle 2.7, too_soon)."""
    met: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Its answer says that people have met."""
    program_hash: Mapped[str] = mapped_column(default="", server_default="")
    """The version of the program whose form it asks; empty: the one by which its mentorship goes."""
    __table_args__ = (
        ForeignKeyConstraint(["cohort", "mentorship"], ["mentorships.cohort", "mentorships.key"]),
        Index("ix_requests_mentorship", "cohort", "mentorship"),
        Index("ix_requests_figures", "cohort", "ask", "state", "mentorship", "met"),
    )


class AnswerRow(Base):
    """What a participant submitted. Versions are kept; the highest counts."""

    __tablename__ = "answers"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    request: Mapped[str] = mapped_column(ForeignKey("requests.key"), index=True)
    version: Mapped[int]
    submission: Mapped[str] = mapped_column(unique=True)
    """Minted when the page was served; the same submission twice is one answer."""
    person: Mapped[str]
    form: Mapped[str]
    form_version: Mapped[int]
    body: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(index=True)
    late: Mapped[bool] = mapped_column(default=False)
    __table_args__ = (UniqueConstraint("request", "version", name="uq_answers_request_version"),)


class DraftRow(Base):
    """A form saved half-way, to be resumed by the same link."""

    __tablename__ = "drafts"
    request: Mapped[str] = mapped_column(ForeignKey("requests.key"), primary_key=True)
    body: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class AgreementRow(Base):
    """One version of a mentorship's agreement and who has signed it."""

    __tablename__ = "agreements"
    cohort: Mapped[str] = mapped_column(primary_key=True)
    mentorship: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    by: Mapped[str]
    body: Mapped[dict[str, Any]]
    signed: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Participant id to {"name": as typed, "at": ISO instant}."""
    at: Mapped[datetime]
