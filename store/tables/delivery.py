"""The tables of delivery: what waits in a postbox, and mails with what became of them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from store.columns import Base


class ItemRow(Base):
    """The postbox: one thing told to one person, waiting or done."""

    __tablename__ = "items"
    key: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("participants.id"))
    kind: Mapped[str]
    """request, reminder, notice, receipt, urgent"""
    name: Mapped[str]
    number: Mapped[int]
    cohort: Mapped[str]
    mentorship: Mapped[str] = mapped_column(default="")
    date: Mapped[date]
    request: Mapped[str] = mapped_column(default="")
    task: Mapped[str] = mapped_column(default="")
    about: Mapped[str] = mapped_column(default="")
    after_end: Mapped[bool] = mapped_column(default=False)
    queued_at: Mapped[datetime]
    deliver_at: Mapped[datetime | None]
    """Never later than the true moment; recomputed when it comes. None: held or done."""
    shard: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(default="queued")
    """queued, held (safety or pause), sending, sent, dropped, refused"""
    reason: Mapped[str] = mapped_column(default="")
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often no mail could be made of it."""
    done_at: Mapped[datetime | None]
    message: Mapped[str | None] = mapped_column(ForeignKey("messages.id"), index=True)
    __table_args__ = (
        Index("ix_items_due", "shard", "state", "deliver_at"),
        Index("ix_items_person", "person", "state"),
        Index("ix_items_mentorship", "cohort", "mentorship"),
        Index("ix_items_figures", "cohort", "state"),
    )


class MessageRow(Base):
    """A mail: rendered once and frozen before it is sent. `id` is derived from the keys of its items."""

    __tablename__ = "messages"
    id: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("participants.id"), index=True)
    cohort: Mapped[str]
    shard: Mapped[int] = mapped_column(default=0)
    fast: Mapped[bool] = mapped_column(default=False)
    """Receipts and urgent items: does not use up the day's mail."""
    at: Mapped[datetime]
    """The time of the logical send (the Date header), program time."""
    local_date: Mapped[date]
    recipient: Mapped[str]
    subject: Mapped[str]
    raw: Mapped[str] = mapped_column(Text)
    """The complete message as it goes over the wire."""
    state: Mapped[str] = mapped_column(default="sending")
    """sending, sent, deferred, refused, ambiguous"""
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    claim: Mapped[str] = mapped_column(default="", server_default="")
    """Token of the round that sends it, or has sent it. Only the holder may write what came of it."""
    body_begun: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Set before the body goes out under this claim: from then on nobody can know whether it was accepted."""
    error: Mapped[str] = mapped_column(default="")
    """Class and SMTP code only, never the relay's text (it may hold the address)."""
    sent_at: Mapped[datetime | None]
    bounce: Mapped[str] = mapped_column(default="", server_default="")
    """What was reported after the relay had accepted it: hard, soft, policy, or nothing."""
    forget: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Somebody was erased of whom it may tell: what it says goes as soon as it need not be sent again."""
    __table_args__ = (Index("ix_messages_due", "shard", "state", "next_try_at"),)
