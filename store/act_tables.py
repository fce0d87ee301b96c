"""The tables of who did what: the audit, and the plans that a coordinator looks at before an act. Other code imports
them from `store.tables`, which has every table."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text
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
