"""The tables of reports: what was passed on, and what coordinators say they change."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.columns import Base


class ReportReleaseRow(Base):
    """A report for passing on, as what it showed: names of counts to numbers. A later report is measured by it."""

    __tablename__ = "report_releases"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    cohort: Mapped[str] = mapped_column(ForeignKey("cohorts.id"), index=True)
    on: Mapped[date]
    """As of the end of which day, in the cohort's zone."""
    at: Mapped[datetime]
    shown: Mapped[dict[str, Any]]
    """Name of a count to its number, or to `few` or `hidden`."""


class ReportChangeRow(Base):
    """What the coordinators of a cohort change for the next season, in their words; stands in its report."""

    __tablename__ = "report_changes"
    cohort: Mapped[str] = mapped_column(ForeignKey("cohorts.id"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    by: Mapped[str]
    at: Mapped[datetime]
