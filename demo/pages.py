"""What a browser does with a page, as far as a simulated person needs it: find the forms, fill them, send them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

Fields = dict[str, list[str]]


@dataclass
class PageForm:
    """A form as it stands on a page, with what it would send if nobody typed anything."""

    action: str
    fields: Fields = field(default_factory=dict)
    """Field name to values; a text field that is empty is there with an empty value."""
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def filled(self, typed: Mapping[str, Sequence[str]]) -> Fields:
        """What is sent after these fields were filled in; everything else as it stood on the page."""
        return self.fields | {name: list(values) for name, values in typed.items()}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self.area: str | None = None
        self.select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        name = attributes.get("name")
        if tag == "form" and attributes.get("method") == "post":
            self.forms.append(PageForm(attributes.get("action") or ""))
        if not self.forms or not name:
            return
        form = self.forms[-1]
        value = attributes.get("value") or ""
        if tag == "input":
            kind = attributes.get("type") or "text"
            if kind in ("radio", "checkbox"):
                if "checked" in attributes:
                    form.fields.setdefault(name, []).append(value)
            else:
                form.fields[name] = [value]
        elif tag == "textarea":
            self.area = name
            form.fields[name] = [""]
        elif tag == "button":
            form.buttons.append((name, value))

    def handle_data(self, data: str) -> None:
        if self.area is not None:
            self.forms[-1].fields[self.area][0] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.area is not None:
            self.forms[-1].fields[self.area][0] = self.forms[-1].fields[self.area][0].strip()
            self.area = None


def forms_on(page: str) -> list[PageForm]:
    """The forms of a page that post something."""
    reader = _Reader()
    reader.feed(page)
    return reader.forms
