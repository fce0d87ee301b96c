"""Turns a letter into a mail: wording, text, HTML, headers, calendar.

Work that is the same for many mails (templates, Markdown, CSS inlining) is done once for all that differ only in text
from people, with placeholders for it; only that is put in per mail. Composing the same letter twice gives the same
bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, cast

from css_inline import CSSInliner
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lifecycle.gathering import MATCH
from mail import dates
from mail.headers import BadHeader, headers_of, is_utf8
from mail.inserts import Inserts, Skeleton, fill, for_html, line, name, plain
from mail.letters import Letter, LetterItem, WordedMail
from mail.markdown import Line, as_text, render
from mail.meetings import invitation
from mail.message import MimePart, written
from mail.own_templates import OwnTemplates
from mail.view import View, called
from mail.wording import FALLBACK, FRAME, SEVERAL_TASKS, SHIPPED, Templates, Wording

SLOT = "\ue002"
"""Placeholder for the items in a cached frame; no other text can contain it."""
COHORTS_AT_ONCE = 64
"""Cohorts with templates of their own that are kept compiled."""
LONGEST_SUBJECT = 180
_SHORT = ("subject", "preheader", "heading", "event", "event_note")
CALENDAR = "text/calendar; method=REQUEST"


class NothingToSay(ValueError):
    """A letter without items."""


@dataclass(frozen=True, slots=True)
class _Section:
    """One item, worded."""

    subject: str
    preheader: str
    heading: str
    text: str
    html: str
    calendar: str


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A remembered rendering, still with placeholders."""

    html: Skeleton
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class _Said:
    """What the template of a section says, still with placeholders."""

    short: dict[str, Skeleton]
    skeleton: _Rendered


@dataclass(frozen=True, slots=True)
class _SaidAround:
    """What the frame says, still with placeholders. `more` and `several` are of a mail with several sections."""

    more: str
    several: str
    greeting: str
    closing: str
    footer: str


class _Context:
    """The values that a template is given; two are equal if no template can tell them apart."""

    __slots__ = ("_hash", "_key", "values")

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        # By their types, too: 2 and 2.0 are equal, and not written alike.
        all_ = values.values()
        self._key = (
            *values,
            *map(type, all_),
            *(_hashable(one) if type(one) in (dict, list) else one for one in all_),
        )
        self._hash = hash(self._key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Context) and self._key == other._key


def _hashable(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple((key, _hashable(part)) for key, part in cast("dict[str, Any]", value).items())
    if isinstance(value, list):
        return tuple(map(_hashable, cast("list[Any]", value)))
    return value


class Composer:
    """Composes with the templates of some folders, the first that has a file first. Safe to share between threads;
    keep one for the process."""

    def __init__(self, folders: Path | Iterable[Path] = SHIPPED) -> None:
        self.templates = Templates(folders)
        self._layout = Environment(
            loader=FileSystemLoader(self.templates.folders),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
        )
        self._css = next(
            path for folder in self.templates.folders if (path := folder / "layout.css").is_file()
        ).read_text("utf-8")
        self._inliner = CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
        self._with_own = lru_cache(COHORTS_AT_ONCE)(partial(Templates, self.templates.folders))
        self._said = lru_cache(1024)(self._render_section)
        self._said_around = lru_cache(256)(self._render_frame)
        self._section_skeleton = lru_cache(1024)(self._build_section)
        self._frame_skeleton = lru_cache(256)(self._build_frame)

    def compose(self, letter: Letter) -> WordedMail:
        """The mail of a letter.

        Raises NothingToSay, BadTemplate (its wording can't be read), jinja2.TemplateError (a template asks for
        what there is not), BadInsert and BadHeader (an address or id of the letter is none). No message of
        these names a person.
        """
        if not letter.items:
            raise NothingToSay("a letter needs at least one item")
        if letter.at.tzinfo is None:
            raise BadHeader("Date: the instant of the send has no zone")
        language = self.language_of(letter.recipient.language, [(item.name, item.own) for item in letter.items])
        frame = self.templates_of(letter.own).wording(FRAME, language)
        parts = _parts(letter.items)
        level = 1 if len(parts) == 1 else 2
        sections = [
            self._section(letter, part[0], frame, language, level)
            if len(part) == 1
            else self._tasks(letter, part, frame, language, level)
            for part in parts
        ]
        subject, text, html = self._framed(letter, frame, language, sections)
        calendar = next((one.calendar for one in sections if one.calendar), "")
        headers = headers_of(letter, subject, language)
        utf8 = is_utf8(letter.recipient.email)
        raw = written(headers, _body(text, html, calendar), letter.message_id, utf8=utf8)
        return WordedMail(subject, text, html, raw, tuple(name for name, _ in headers), calendar)

    def templates_of(self, own: OwnTemplates) -> Templates:
        """The templates of a cohort: its own before those of the folders."""
        return self._with_own(own) if own.texts else self.templates

    def language_of(self, wanted: str, items: Sequence[tuple[str, OwnTemplates]]) -> str:
        """The language of a mail with these items (name, templates of the cohort) to a reader of the wanted one."""
        several = [SEVERAL_TASKS] if sum(name.startswith("task_") for name, _ in items) > 1 else []
        found = {
            self.templates_of(own).language_of(wanted, [*(name for name, of in items if of == own), *several])
            for own in dict.fromkeys(own for _, own in items)
        }
        return found.pop() if len(found) == 1 else FALLBACK

    def _section(self, letter: Letter, item: LetterItem, frame: Wording, language: str, level: int) -> _Section:
        wording = self.templates_of(item.own).wording(item.name, language)
        view = View(letter, item, language)
        said, text, html = self._worded(wording, view.context(), view.inserts.values, frame, level)
        event = invitation(letter, item, said["event"], said["event_note"]) if said["event"] else ""
        return _Section(said["subject"], said["preheader"], said["heading"], text, html, event)

    def _tasks(
        self, letter: Letter, items: Sequence[LetterItem], frame: Wording, language: str, level: int
    ) -> _Section:
        """Several tasks as one table, a line and a link each."""
        wording = self.templates_of(letter.own).wording(SEVERAL_TASKS, language)
        inserts = Inserts()
        views = [View(letter, item, language, inserts) for item in items]
        rows = [view.row() for view in views]
        kinds = [item.task.kind for item in items if item.task is not None]
        named = [line(item.mentorship) for item in items if item.task and item.task.kind not in ("safety", MATCH)]
        context = views[0].context() | {
            "tasks": rows,
            "count": len(rows),
            "reports": kinds.count("safety"),
            "call": MATCH in kinds,
            "mentorships": inserts.put(dates.listed(list(dict.fromkeys(named)), language)),
            "late": any(row["again"] for row in rows),
            "linked": all(row["link"] for row in rows),
            "link": "",
        }
        texts, text, html = self._worded(wording, context, inserts.values, frame, level)
        return _Section(texts["subject"], texts["preheader"], texts["heading"], text, html, "")

    def _worded(
        self, wording: Wording, context: dict[str, Any], values: Sequence[str], frame: Wording, level: int
    ) -> tuple[dict[str, str], str, str]:
        """The short texts, the text and the HTML of a section."""
        said = self._said(wording, frame, level, _Context(context))
        texts = {key: value.filled(values, plain) for key, value in said.short.items()}
        return texts, as_text(said.skeleton.lines, values), said.skeleton.html.filled(values, for_html)

    def _render_section(self, wording: Wording, frame: Wording, level: int, context: _Context) -> _Said:
        values = context.values
        short = {key: wording.short(key, values) for key in _SHORT}
        skeleton = self._section_skeleton(
            level,
            short["heading"],
            wording.body.render(values),
            _buttons(wording, values),
            frame.short("address", values),
        )
        return _Said({key: Skeleton.of(text) for key, text in short.items()}, skeleton)

    def _build_section(
        self,
        level: int,
        heading: str,
        body: str,
        buttons: tuple[tuple[str, str], ...],
        address: str,
    ) -> _Rendered:
        rendered = render(body, below=level)
        fragment = self._layout.get_template("section.html").render(
            level=level,
            heading=heading,
            body=Markup(rendered.html),
            buttons=buttons,
            address=address,
        )
        lines = list(rendered.lines)
        if level > 1:
            lines[:0] = [Line(heading, literal=True), Line("-" * 40, gap=None, literal=True)]
        lines += [Line(f"{label}:\n{url}", literal=True) for label, url in buttons]
        return _Rendered(Skeleton.of(self._inliner.inline_fragment(fragment, self._css)), tuple(lines))

    def _framed(
        self, letter: Letter, frame: Wording, language: str, sections: list[_Section]
    ) -> tuple[str, str, str]:
        inserts = Inserts()
        context = _frame_context(letter, language, sections, inserts)
        more = len(sections) > 1
        said = self._said_around(frame, _Context(context), more)
        subject = fill(said.more if more else str(context["subject"]), inserts.values, plain)
        if len(subject) > LONGEST_SUBJECT:
            subject = subject[: LONGEST_SUBJECT - 1].rstrip() + "…"
        skeleton = self._frame_skeleton(
            language,
            said.several if more else inserts.put(sections[0].heading),
            tuple(inserts.put(line(section.subject)) for section in sections) if more else (),
            said.greeting,
            said.closing,
            said.footer,
            str(context["organisation"]),
            inserts.put(line(subject)),
            inserts.put(line(" · ".join([sections[0].preheader, *(section.heading for section in sections[1:])]))),
        )
        html = skeleton.html.filled(inserts.values, for_html)
        parts = as_text(skeleton.lines, inserts.values).split(SLOT)
        items = "\n\n\n".join(section.text for section in sections)
        return (
            subject,
            items.join(parts) + "\n",
            html.replace(SLOT, "\n".join(section.html for section in sections)),
        )

    def _render_frame(self, frame: Wording, context: _Context, several: bool) -> _SaidAround:
        values = context.values
        return _SaidAround(
            more=frame.short("more", values) if several else "",
            several=frame.short("several", values) if several else "",
            greeting=frame.short("greeting", values),
            closing=frame.short("closing", values),
            footer=frame.body.render(values),
        )

    def _build_frame(
        self,
        language: str,
        heading: str,
        contents: tuple[str, ...],
        greeting: str,
        closing: str,
        footer: str,
        organisation: str,
        subject: str,
        preheader: str,
    ) -> _Rendered:
        rendered = render(footer)
        page = self._layout.get_template("layout.html").render(
            language=language,
            direction=dates.direction(language),
            css=Markup(self._css),
            subject=subject,
            preheader=preheader,
            cohort=COHORT,
            organisation=organisation,
            date=DATE,
            heading=heading,
            contents=contents,
            greeting=greeting,
            closing=closing,
            footer=Markup(rendered.html),
            slot=SLOT,
        )
        title = f"{COHORT} · {organisation}" if organisation else COHORT
        lines = [Line(f"{title}\n{DATE}", literal=True)]
        lines += [Line(heading, literal=True), Line("-" * 40, gap=None, literal=True)]
        lines += [Line(greeting)]
        lines += [Line(content, "- ", "  ", None if nth else "") for nth, content in enumerate(contents)]
        lines += [Line(SLOT)]
        lines += [Line(closing)] if closing else []
        first, *others = rendered.lines
        lines += [Line("-- ", literal=True), replace(first, gap=None), *others]
        return _Rendered(Skeleton.of(self._inliner.inline(page)), tuple(lines))


COHORT, DATE = "\ue0000\ue001", "\ue0001\ue001"
"""Placeholders of the first two values of every frame."""


def _parts(items: Sequence[LetterItem]) -> list[list[LetterItem]]:
    """The sections of a mail: each item is one, but several tasks are one together, where the first of them is."""
    tasks = [item for item in items if item.task is not None]
    if len(tasks) < 2:
        return [[item] for item in items]
    first = tasks[0]
    return [tasks if item is first else [item] for item in items if item.task is None or item is first]


def _frame_context(letter: Letter, language: str, sections: list[_Section], inserts: Inserts) -> dict[str, Any]:
    zone = letter.recipient.zone or "UTC"
    inserts.put(line(letter.cohort_title) or letter.cohort)
    inserts.put(dates.moment(letter.at, zone, language))
    return {
        "cohort": COHORT,
        "date": DATE,
        "me": {"name": inserts.put(name(letter.recipient.name)), "called": inserts.put(called(letter.recipient))},
        "coordinator": {
            "name": inserts.put(name(letter.coordinator.name)),
            "called": inserts.put(called(letter.coordinator)),
        },
        "organisation": inserts.put(line(letter.organisation)),
        "capacity": letter.capacity,
        "own": letter.recipient.id == letter.coordinator.id,
        "place": inserts.put_url(letter.place_url),
        "unsubscribe": inserts.put_url(letter.unsubscribe_url),
        "subject": inserts.put(sections[0].subject),
        "subjects": inserts.put(" · ".join(section.subject for section in sections)),
        "count": len(sections),
    }


def _buttons(wording: Wording, context: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """(label, address) of each button; none where the letter has no address for it."""
    if wording.buttons:
        buttons = [
            (" ".join(label.render(context).split()), context["links"].get(link, ""))
            for link, label in wording.buttons.items()
        ]
    else:
        buttons = [(wording.short("button", context), context["link"])]
    return tuple((label, url) for label, url in buttons if label and url)


def _body(text: str, html: str, calendar: str) -> MimePart:
    alternatives = (MimePart("text/plain", text), MimePart("text/html", html))
    if not calendar:
        return MimePart("multipart/alternative", parts=alternatives)
    # The shape that calendars agree on: the invitation among the alternatives, and again as a file (RFC 6047).
    return MimePart(
        "multipart/mixed",
        parts=(
            MimePart("multipart/alternative", parts=(*alternatives, MimePart(CALENDAR, calendar))),
            MimePart('application/ics; name="meetings.ics"', calendar, filename="meetings.ics"),
        ),
    )


@lru_cache(1)
def _shipped() -> Composer:
    return Composer()


def compose(letter: Letter) -> WordedMail:
    """The mail of a letter, with the shipped templates. Raises as `Composer.compose` does."""
    return _shipped().compose(letter)
