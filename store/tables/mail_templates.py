"""The table of mail templates that cohorts have of their own."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from store.columns import Base


class MailTemplatesRow(Base):
    """The own templates of cohorts that name this digest in `cohorts.mails`. A row is never changed: other words are
    another row."""

    __tablename__ = "mail_templates"
    digest: Mapped[str] = mapped_column(primary_key=True)
    texts: Mapped[dict[str, Any]]
    """Language and name, such as `en/check_in`, to the text."""
