"""Tables by which SQL and the workflows know of each other: events to be told, and when a postmaster wakes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from store.columns import Base


class RelayRow(Base):
    """Outbox row, "tell the workflow": committed with what it tells of, deleted once the workflow has it."""

    __tablename__ = "relays"
    id: Mapped[str] = mapped_column(primary_key=True)
    """Submission or operation id; also the update id."""
    cohort: Mapped[str]
    mentorship: Mapped[str]
    event: Mapped[str]
    """Name of the event in `lifecycle.events`."""
    payload: Mapped[dict[str, Any]]
    """The event's fields; ids, dates and decisions only."""
    at: Mapped[datetime]
    """Not tried before this instant; put off with every attempt."""
    attempts: Mapped[int] = mapped_column(default=0)


class PostmasterRow(Base):
    """When the postmaster of a shard wakes next; queuing an earlier item wakes it."""

    __tablename__ = "postmasters"
    shard: Mapped[int] = mapped_column(primary_key=True)
    wakes_at: Mapped[datetime | None]
    rounds: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many it has begun: who woke it in this one need not wake it again."""
