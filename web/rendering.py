"""Renders the participant's pages from `templates/pages`. Everything is escaped; nothing is written anywhere."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse

from mail.compiled_templates import page_environment
from mail.dates import day, language_name, listed, moment, whole_day
from operations.mentorships.labels import detail_words, step_name

TEMPLATES = Path(__file__).parent.parent / "templates" / "pages"
CERTIFICATES = TEMPLATES.parent / "certificates"
LANGUAGE = "en"
"""Of every page as a whole, dates included: there are pages in no other, whatever a person's mails are in."""
STATIC = Path(__file__).parent / "static"


class Pages:
    """The templates of one installation. `root` is the path under which the pages lie."""

    def __init__(self, public_url: str) -> None:
        self.root = urlsplit(public_url).path.rstrip("/")
        self.css = (STATIC / "pages.css").read_bytes() + (CERTIFICATES / "style.css").read_bytes()
        self.icon = (STATIC / "icon.svg").read_bytes()
        self._environment = page_environment(TEMPLATES)
        self._environment.globals |= {
            "root": self.root,
            "css": sha256(self.css).hexdigest()[:12],
            "on": _on,
            "at": _at,
        }
        self._environment.filters |= {
            "listed": lambda names: listed(list(names), LANGUAGE),
            "short_name": short_name,
            "step": step_name,
            "detail": detail_words,
            "language": language_name,
        }

    def page(self, name: str, status: int = 200, **context: Any) -> HTMLResponse:
        """A page made from the template of this name."""
        body = self._environment.get_template(name).render(**context)
        return HTMLResponse(body, status, {"content-language": LANGUAGE})

    def message(self, status: int, heading: str, text: str) -> HTMLResponse:
        """A page with nothing but a heading and a sentence or two."""
        return self.page("message.html", status, heading=heading, text=text)

    def unknown(self) -> HTMLResponse:
        """The same for a link that never was, was changed on the way, or was revoked."""
        return self.page("unknown.html", 404)

    def failed(self) -> HTMLResponse:
        """Something of ours broke."""
        return self.message(
            500,
            "Sorry, something went wrong here",
            "It is our fault, not yours. If you were sending a form: go back with your browser's Back button, your "
            "answers should still be there, and send it again in a few minutes.",
        )


def short_name(name: str) -> str:
    """`Ada L.`: enough to know whether it's you, and no more for a stranger to whom a mail was forwarded."""
    parts = name.split()
    return parts[0] if len(parts) < 2 else f"{parts[0]} {parts[-1][0]}."


def _on(when: date, this_year: int = 0) -> str:
    return day(when, LANGUAGE, this_year) if this_year else whole_day(when, LANGUAGE)


def _at(when: Any, zone: str) -> str:
    return moment(when, zone, LANGUAGE)
