"""The tables of names and addresses that people had, asked for, or that refuse mail."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from store.columns import Base


class FormerNameRow(Base):
    """A name or an address that a person had before a correction: erasing finds it in what others wrote."""

    __tablename__ = "former_names"
    person: Mapped[str] = mapped_column(ForeignKey("participants.id"), primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    """name, email"""
    value: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime]


class SuppressionRow(Base):
    """An address that refuses mail for good."""

    __tablename__ = "suppressions"
    email: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str]
    reason: Mapped[str]
    at: Mapped[datetime]


class AddressChangeRow(Base):
    """Another address that a person asked for: it counts once both have confirmed it, the old one and the new one."""

    __tablename__ = "address_changes"
    id: Mapped[str] = mapped_column(primary_key=True)
    """Stands in the links of both mails; `about` of the items that bring them."""
    person: Mapped[str] = mapped_column(ForeignKey("participants.id"), index=True)
    cohort: Mapped[str]
    """In whose name the mails go."""
    email: Mapped[str]
    asked_at: Mapped[datetime]
    lapses_at: Mapped[datetime]
    old_at: Mapped[datetime | None]
    """When it was confirmed from the old address."""
    new_at: Mapped[datetime | None]
    """When it was confirmed from the new address."""
    state: Mapped[str] = mapped_column(default="pending")
    """pending, done, denied (at either address), withdrawn, overtaken (by a later one), refused (by the new
    address), taken (another person has it)"""
    closed_at: Mapped[datetime | None]
