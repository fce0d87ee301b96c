"""The table of cohort files: every version that somebody saved or launched."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.columns import Base


class CohortFileRow(Base):
    """One version of a cohort's file with its tables of people and pairs. A version is never changed, but that the
    words of an erased person are taken out; the cohort need not be launched."""

    __tablename__ = "cohort_files"
    id: Mapped[str] = mapped_column(primary_key=True)
    cohort: Mapped[str]
    version: Mapped[int]
    """Counts from 1 in each cohort."""
    digest: Mapped[str]
    """SHA-256 of the texts: the same texts in a browser and on disk are one version."""
    file: Mapped[str] = mapped_column(Text)
    people: Mapped[str] = mapped_column(Text, default="")
    """A CSV; empty where the file names none."""
    pairs: Mapped[str] = mapped_column(Text, default="")
    wording: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Texts of programs and forms that this cohort words in its own way, such as `forms/check_in`."""
    staff: Mapped[list[str]] = mapped_column(default=list)
    """Ids and addresses, in small letters, of the coordinators and deputies whom the file names."""
    by: Mapped[str]
    """Id of the account that saved it; on the command line, of who launched, or empty."""
    proof: Mapped[str]
    """By what that account was known, in the words of the audit log."""
    at: Mapped[datetime]
    """Program time (UTC)."""
    launched_at: Mapped[datetime | None]
    """When it was launched last; program time (UTC)."""
    launched_by: Mapped[str] = mapped_column(default="")
    __table_args__ = (UniqueConstraint("cohort", "version", name="uq_cohort_files_cohort_version"),)
