"""What all tables have in common: instants that keep their zone, and names of constraints that migrations know."""

from __future__ import annotations

from base64 import b32encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, MetaData, String, Table, TypeDecorator
from sqlalchemy.orm import DeclarativeBase


def public_id(key: str) -> str:
    """The id in a link instead of a request's or a task's key: 16 characters, the same for every retry.

    It is no secret, but it says nothing about the person or the mentorship.
    """
    return b32encode(sha256(key.encode()).digest()).decode()[:16].lower()


class Instant(TypeDecorator[datetime]):
    """An aware datetime in UTC on every database; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no zone; the store takes instants")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all tables; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: Instant, dict[str, Any]: JSON, list[str]: JSON, str: String}


def bare(row: type[Base]) -> Table:
    """The table of such rows: statements made of it read and write without the ORM's bookkeeping."""
    return Base.metadata.tables[row.__tablename__]
