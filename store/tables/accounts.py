"""The tables of signing in: who reads a cohort, sessions, and one-time links.

Of a secret (cookie, link, code) only a digest is stored, of an address that was typed in only a keyed one. All
instants here are real time (UTC), not program time: a session of twelve hours lasts twelve hours in a demo as well.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from store.columns import Base


class CohortReaderRow(Base):
    """Who may read the numbers and the status of a cohort, and no answer."""

    __tablename__ = "cohort_readers"
    cohort: Mapped[str] = mapped_column(ForeignKey("cohorts.id"), primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("participants.id"), primary_key=True, index=True)


class SessionRow(Base):
    """Somebody who is signed in, in one browser."""

    __tablename__ = "sessions"
    digest: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of the cookie."""
    id: Mapped[str] = mapped_column(unique=True)
    """What pages and the audit log call it."""
    account: Mapped[str] = mapped_column(index=True)
    """A participant's id, or `admin-…` or `oidc-…` where the engine knows no such person."""
    person: Mapped[str] = mapped_column(default="")
    """The participant's id, or empty."""
    mark: Mapped[str] = mapped_column(default="")
    """Keyed digest of the address that signed in; an administrator is recognised by it."""
    granted: Mapped[list[str]] = mapped_column(default=list)
    """Roles for the whole installation that came with the proof: an OpenID claim, or a printed link."""
    name: Mapped[str] = mapped_column(default="")
    """How pages call somebody whom neither a cohort nor the settings name."""
    proof: Mapped[str]
    """mailed_link, mailed_code, printed_link, openid, proxy_header"""
    browser: Mapped[str] = mapped_column(default="")
    """Which browser, in a word or two, so that its owner recognises it in the list."""
    signed_in_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ends_at: Mapped[datetime]


class SignInRow(Base):
    """A request to sign in: one mail with a link and a code, or one printed link. Also kept for addresses that nobody
    knows, so that both are answered and limited the same way."""

    __tablename__ = "sign_ins"
    id: Mapped[str] = mapped_column(primary_key=True)
    link: Mapped[str] = mapped_column(unique=True)
    """SHA-256 of the link's token."""
    browser: Mapped[str] = mapped_column(default="", index=True)
    """SHA-256 of the cookie of the browser that asked; empty for a printed link, which any browser may use."""
    code: Mapped[str] = mapped_column(default="")
    """Keyed digest of the six digits; empty for a printed link."""
    account: Mapped[str] = mapped_column(default="")
    """Who signs in by it; empty where the address is nobody's."""
    person: Mapped[str] = mapped_column(default="")
    mark: Mapped[str] = mapped_column(default="")
    """Keyed digest of the address."""
    granted: Mapped[list[str]] = mapped_column(default=list)
    """Roles for the whole installation that a printed link grants."""
    sender: Mapped[str] = mapped_column(default="")
    """Keyed digest of the network that asked."""
    asked_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    """How many codes were tried."""
    __table_args__ = (
        Index("ix_sign_ins_mark", "mark", "asked_at"),
        Index("ix_sign_ins_sender", "sender", "asked_at"),
    )
