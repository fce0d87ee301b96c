"""The tables of who did what: the audit, and the plans that a coordinator looks at before an act."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.columns import Base


class AuditRow(Base):
    """One act of a person on the coordinators' pages or the command line, or one look at what is kept apart.
    Append-only, but for what erasing a person takes out of reasons."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[datetime]
    """Program time (UTC)."""
    by: Mapped[str] = mapped_column(default="")
    """Id of the account; empty where nobody is signed in, and on the command line where nobody is named."""
    proof: Mapped[str]
    """By what the person is known: `operations.audit.PROOFS`."""
    what: Mapped[str]
    """The act: the command's name, or that of the route."""
    cohort: Mapped[str] = mapped_column(default="")
    ids: Mapped[list[str]] = mapped_column(default=list)
    """What it was about, as far as a row holds it: mentorships as `cohort/key`, tasks, people."""
    count: Mapped[int] = mapped_column(default=0)
    """How many it was about."""
    plan: Mapped[str] = mapped_column(default="")
    """Id of the plan that was made or confirmed."""
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why, in the words of who did it."""
    result: Mapped[str] = mapped_column(default="")
    """What came of it in a word or a status code; empty where the row was written before the act."""
    __table_args__ = (Index("ix_audit_at", "at"), Index("ix_audit_cohort", "cohort", "at"))


class PlanRow(Base):
    """An act that a coordinator has chosen, frozen so that what is confirmed is what was shown. Its `options` may
    hold a newcomer's or a corrected name and address; those are removed once it is carried out."""

    __tablename__ = "plans"
    id: Mapped[str] = mapped_column(primary_key=True)
    act: Mapped[str]
    """A name of `operations.acts.ACTS`."""
    cohort: Mapped[str] = mapped_column(default="")
    """In which cohort it was chosen; empty where it is about none or several."""
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    by: Mapped[str]
    proof: Mapped[str]
    why: Mapped[str] = mapped_column(Text, default="")
    made_at: Mapped[datetime]
    """Program time (UTC); "today" and "in three weeks" are counted from here."""
    lapses_at: Mapped[datetime]
    """Real time (UTC) after which it can't be confirmed any more."""
    count: Mapped[int]
    state: Mapped[str] = mapped_column(default="shown")
    """shown, given (being carried out), done (each line has its outcome)"""
    given_at: Mapped[datetime | None]
    """Program time (UTC)."""
    done_at: Mapped[datetime | None]
    claim: Mapped[str] = mapped_column(default="")
    """Token of the process that carries it out."""
    claimed_until: Mapped[datetime | None]
    """Real time (UTC) after which another process may take it up."""
    __table_args__ = (Index("ix_plans_state", "state", "claimed_until"),)


class PlanLineRow(Base):
    """One subject of a plan: a mentorship, a task, a person or a cohort."""

    __tablename__ = "plan_lines"
    plan: Mapped[str] = mapped_column(ForeignKey("plans.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    cohort: Mapped[str] = mapped_column(default="")
    mentorship: Mapped[str] = mapped_column(default="")
    subject: Mapped[str] = mapped_column(default="")
    """Key of the task, id of the person or of the cohort; empty for a mentorship."""
    based_on: Mapped[str] = mapped_column(default="")
    """The state that was shown: the number of changes of a mentorship, or a digest of what would be done."""
    operation: Mapped[str] = mapped_column(default="")
    """Id of the event that is sent."""
    outcome: Mapped[str] = mapped_column(default="")
    """Empty before it was carried out; done, done_before, refused, not_reached"""
    reason: Mapped[str] = mapped_column(Text, default="")
    changed: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Where it was refused because somebody else was first: `by`, `at`, `what`."""
    at: Mapped[datetime | None]
    """Program time (UTC) of the outcome."""
    __table_args__ = (Index("ix_plan_lines_outcome", "plan", "outcome"),)
