"""The tables of mentorships: seats, steps, tasks, the record, and what coordinators and participants asked for."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from store.columns import Base, public_id


class MentorshipRow(Base):
    """One mentorship with the last snapshot of its workflow."""

    __tablename__ = "mentorships"
    cohort: Mapped[str] = mapped_column(ForeignKey("cohorts.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    program: Mapped[str]
    program_hash: Mapped[str]
    format: Mapped[str]
    start: Mapped[date]
    midpoint: Mapped[date]
    end: Mapped[date]
    launched_on: Mapped[date]
    state: Mapped[str] = mapped_column(default="planned")
    """planned (row only), running (workflow started), over"""
    turn: Mapped[int] = mapped_column(default=0)
    """The last batch applied; a batch with this number or a lower one was applied before."""
    turn_at: Mapped[datetime | None]
    """When that turn was taken."""
    furthest: Mapped[int] = mapped_column(default=0)
    """The highest turn ever written; a repeated turn can be lower."""
    first_hash: Mapped[str] = mapped_column(default="", server_default="")
    """The version of its program with which it was launched, where it runs on another one by now; or empty."""
    phase: Mapped[str] = mapped_column(default="onboarding")
    health: Mapped[str] = mapped_column(default="good")
    next_step: Mapped[str] = mapped_column(default="")
    next_on: Mapped[date | None]
    next_at: Mapped[datetime | None]
    awaited: Mapped[list[str]] = mapped_column(default=list)
    open_tasks: Mapped[int] = mapped_column(default=0)
    paused_until: Mapped[str] = mapped_column(default="")
    """ISO date, `open`, or empty"""
    pause_ahead: Mapped[str] = mapped_column(default="", server_default="")
    """A pause that begins later: `2027-03-01/2027-04-19`, `2027-03-01/open`, or empty"""
    held: Mapped[bool] = mapped_column(default=False)
    ending_decided: Mapped[bool] = mapped_column(default=False, server_default=false())
    """The mentorship ends early, or is over."""
    last_life: Mapped[datetime | None]
    """The last sign of life from anyone, as far as a notice asks for it."""
    agreement_open: Mapped[int] = mapped_column(default=0, server_default="0")
    """Number of the agreement step that is open; 0 where none is."""
    agreement_in_force: Mapped[int] = mapped_column(default=0, server_default="0")
    """The version of the agreement that is in force; 0 where none is."""
    ending: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    ended_on: Mapped[date | None]
    proposed: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Its people were matched: their invitation is a proposal, which names the partner and says why."""
    because: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    """Why these were matched, in words about neither by name, the most important first."""
    erasures: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many of its people were erased: a mail worded before such an erasure is worded again."""
    lost_since: Mapped[datetime | None]
    """Real time (UTC) at which it was noticed first that Temporal runs no workflow for it; None while one runs."""
    workflow_state: Mapped[str | None] = mapped_column(Text, deferred=True)
    """What its workflow remembers after the last turn (`lifecycle.saved_state`): ids, dates and decisions. None
    before the first turn, and while only an older release has written turns. Read by name only: it is large."""


class MembershipRow(Base):
    """A participant's seat in a mentorship."""

    __tablename__ = "memberships"
    cohort: Mapped[str] = mapped_column(primary_key=True)
    mentorship: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("participants.id"), primary_key=True, index=True)
    role: Mapped[str]
    standing: Mapped[str] = mapped_column(default="invited")
    """invited, accepted, declined, silent, out"""
    position: Mapped[int] = mapped_column(default=0)
    __table_args__ = (ForeignKeyConstraint(["cohort", "mentorship"], ["mentorships.cohort", "mentorships.key"]),)


class StepRow(Base):
    """A step of a mentorship's plan as last recorded."""

    __tablename__ = "steps"
    cohort: Mapped[str] = mapped_column(primary_key=True)
    mentorship: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    phase: Mapped[str]
    verb: Mapped[str]
    state: Mapped[str]
    """planned, open, settled, skipped"""
    opens: Mapped[date]
    closes: Mapped[date | None]
    settled: Mapped[date | None]
    asked: Mapped[list[str]] = mapped_column(default=list)
    answered: Mapped[list[str]] = mapped_column(default=list)


def _public_id(row: Any) -> str:
    """The public id of a row that is written, made of its key."""
    return public_id(row.get_current_parameters()["key"])


class TaskRow(Base):
    """Something a coordinator must decide."""

    __tablename__ = "tasks"
    key: Mapped[str] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(default=_public_id, server_default="", index=True)
    """Stands in the link of a mail about it, which must not say what the task is."""
    cohort: Mapped[str]
    mentorship: Mapped[str]
    """Empty for a task about a whole cohort (`match`)."""
    kind: Mapped[str]
    number: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    about: Mapped[list[str]] = mapped_column(default=list)
    decisions: Mapped[list[str]] = mapped_column(default=list)
    due: Mapped[date]
    opened_at: Mapped[datetime]
    opened_on: Mapped[date]
    closed_at: Mapped[datetime | None]
    closed_on: Mapped[date | None]
    decision: Mapped[str] = mapped_column(default="")
    by: Mapped[str] = mapped_column(default="")
    why: Mapped[str] = mapped_column(Text, default="")
    turn: Mapped[int] = mapped_column(default=0)
    """In which turn of its mentorship it was opened; `closed_in`: closed."""
    closed_in: Mapped[int] = mapped_column(default=0)
    __table_args__ = (Index("ix_tasks_cohort", "cohort", "decision"),)


class EventRow(Base):
    """One line in the record of what happened; append-only."""

    __tablename__ = "events"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    cohort: Mapped[str]
    mentorship: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
    name: Mapped[str]
    person: Mapped[str] = mapped_column(default="")
    detail: Mapped[str] = mapped_column(Text, default="")
    by: Mapped[str] = mapped_column(default="")
    why: Mapped[str] = mapped_column(Text, default="")
    turn: Mapped[int] = mapped_column(default=0)
    """Of the mentorship; 0 for what its workflow did not write."""
    __table_args__ = (Index("ix_events_mentorship", "cohort", "mentorship", "id"),)


class OutcomeRow(Base):
    """How a mentorship ended; final."""

    __tablename__ = "outcomes"
    cohort: Mapped[str] = mapped_column(primary_key=True)
    mentorship: Mapped[str] = mapped_column(primary_key=True)
    ending: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    on: Mapped[date]
    at: Mapped[datetime]
    turn: Mapped[int] = mapped_column(default=0)


class OperationRow(Base):
    """A command that a coordinator or participant gave; the same id twice is one operation."""

    __tablename__ = "operations"
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    cohort: Mapped[str]
    mentorship: Mapped[str] = mapped_column(default="")
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    by: Mapped[str] = mapped_column(default="")
    why: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]
    result: Mapped[str] = mapped_column(default="")
