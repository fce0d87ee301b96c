"""Reads the templates, once, and reports errors by file and line.

A template is `templates/mail/<language>/<name>.md`: YAML front matter with the short texts (subject, preheader,
heading, button), then the body in Markdown. All of it is Jinja2 in its sandbox, with nothing undefined allowed.
A language that lacks a template falls back to English.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError

SHIPPED = Path(__file__).resolve().parent.parent / "templates" / "mail"
FALLBACK = "en"
FRAME = "frame"
"""The mail around the matters: greeting, closing, footer."""
SEVERAL_TASKS = "tasks"
"""Several tasks of one coordinator, as one table."""
WORDS = "words"
"""Macros that all templates of a language share."""

_TAG = re.compile(r"\{%.*?%\}")
_LANGUAGE = re.compile(r"^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*$")
_TEXTS = {
    FRAME: (("greeting", "several", "more", "address", "closing"), ()),
    "": (("subject", "preheader", "heading"), ("button", "buttons", "event", "event_note")),
}
"""Front matter: required and optional texts; the empty name is for all other templates."""


class BadTemplate(ValueError):
    """A template that cannot be used. `problem` has the remedy."""

    def __init__(self, path: Path, line: int, problem: str) -> None:
        super().__init__(f"{path}:{line}: {problem}")
        self.path, self.line, self.problem = path, line, problem


@dataclass(frozen=True, slots=True)
class Wording:
    """One template, compiled."""

    path: Path
    language: str
    texts: Mapping[str, Template]
    buttons: Mapping[str, Template]
    """Several buttons by the name of their link; empty where there is one or none."""
    body: Template

    def short(self, text: str, context: Mapping[str, Any]) -> str:
        """One of the short texts as one line, or an empty string where the template has none."""
        return flat(self.texts[text].render(context)) if text in self.texts else ""


def flat(rendered: str) -> str:
    """A short text as one line of plain text (Jinja's autoescape undone: it is escaped where it is put)."""
    return html.unescape(" ".join(rendered.split()))


class _Loader(FileSystemLoader):
    """Shared macros are read the same way as templates."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        source, filename, uptodate = super().get_source(environment, template)
        return _keeping_line_ends(source), filename, uptodate


class Templates:
    """The templates of a folder, read at first use and kept."""

    def __init__(self, folder: Path = SHIPPED) -> None:
        self.folder = folder
        self._environments: dict[str, ImmutableSandboxedEnvironment] = {}
        self._wordings: dict[tuple[str, str], Wording] = {}

    def languages(self) -> tuple[str, ...]:
        """The languages that have templates."""
        return tuple(sorted(folder.name for folder in self.folder.iterdir() if folder.is_dir()))

    def wording(self, name: str, language: str) -> Wording:
        """The template of this name in this language, else in its plain form (`pt` for `pt-BR`), else in
        English. Raises BadTemplate."""
        known = self._wordings.get((name, language))
        if known is None:
            known = self._wordings[name, language] = self._read(name, language)
        return known

    def _read(self, name: str, language: str) -> Wording:
        tried = [language, language.split("-")[0]] if _LANGUAGE.match(language) else []
        for candidate in (*tried, FALLBACK):
            path = self.folder / candidate / f"{name}.md"
            if path.is_file():
                return self.compile(path, candidate)
        wanted = self.folder / FALLBACK / f"{name}.md"
        raise BadTemplate(wanted, 1, f"there is no template {name}.md; every mail needs one in {FALLBACK}/")

    def _environment(self, language: str) -> ImmutableSandboxedEnvironment:
        environment = self._environments.get(language)
        if environment is None:
            # Text from people is a placeholder here (mail.inserts); autoescape covers a template's own strings.
            environment = self._environments[language] = ImmutableSandboxedEnvironment(
                loader=_Loader([self.folder / language, self.folder / FALLBACK]),
                undefined=StrictUndefined,
                autoescape=True,
                trim_blocks=True,
                lstrip_blocks=True,
                auto_reload=False,
            )
            environment.globals["words"] = environment.get_template(f"{WORDS}.md").module
        return environment

    def compile(self, path: Path, language: str) -> Wording:
        """A template from its file. Raises BadTemplate with the line."""
        source = path.read_text("utf-8")
        lines = source.split("\n")
        if lines[0].strip() != "---" or "---" not in (rest := [line.strip() for line in lines[1:]]):
            raise BadTemplate(path, 1, "begins with --- and ends its short texts with another ---")
        end = rest.index("---") + 1
        front = self._front_matter(path, "\n".join(["", *lines[1:end]]))
        needed, allowed = _TEXTS.get(path.stem, _TEXTS[""])
        for key in front:
            if key not in needed + allowed:
                raise BadTemplate(path, _line(front, key), f"{key!r} is none of {', '.join(needed + allowed)}")
        for key in needed:
            if key not in front:
                raise BadTemplate(path, 1, f"lacks {key!r} between the two ---")
        buttons = front.pop("buttons", CommentedMap())
        environment = self._environment(language)
        return Wording(
            path,
            language,
            {key: _compiled(environment, path, _line(front, key), text) for key, text in front.items()},
            {key: _compiled(environment, path, _line(buttons, key), text) for key, text in buttons.items()},
            _compiled(environment, path, end + 2, "\n".join(lines[end + 1 :])),
        )

    @staticmethod
    def _front_matter(path: Path, text: str) -> CommentedMap:
        try:
            front = YAML().load(text)
        except MarkedYAMLError as fault:
            line = fault.problem_mark.line + 1 if fault.problem_mark else 1
            raise BadTemplate(path, line, f"the short texts are no YAML: {fault.problem}") from None
        if not isinstance(front, CommentedMap):
            raise BadTemplate(path, 2, "the short texts are lines such as subject: Your check-in")
        return front


def _line(front: CommentedMap, key: str) -> int:
    line = front.lc.key(key)[0] + 1
    return line + 1 if type(front[key]).__name__ in ("FoldedScalarString", "LiteralScalarString") else line


def _keeping_line_ends(text: str) -> str:
    """Jinja drops the line end after every tag; a tag that ends a line *of text* keeps it here, so that the
    paragraph after it stays one."""
    return "\n".join(
        line[:-2] + "+%}" if line.endswith("%}") and line[-3] not in "-+" and _TAG.sub("", line).strip() else line
        for line in text.split("\n")
    )


def _compiled(environment: ImmutableSandboxedEnvironment, path: Path, line: int, text: object) -> Template:
    if not isinstance(text, str):
        raise BadTemplate(path, line, "must be text; put it in quotes")
    # Empty lines before it make Jinja count as the file does.
    padded = "\n" * (line - 1) + _keeping_line_ends(text)
    try:
        code = environment.compile(padded, path.name, str(path))
    except TemplateSyntaxError as fault:
        raise BadTemplate(path, fault.lineno, fault.message or "does not parse") from None
    # The globals as they are: what `make_globals` chains before them is copied name by name at every rendering.
    return Template.from_code(environment, code, environment.globals)


def problem_of(fault: Exception, path: Path) -> BadTemplate:
    """What went wrong while a template rendered, with the line of the template that it happened on."""
    file, line = path, 1
    trace = fault.__traceback__
    while trace is not None:
        filename = trace.tb_frame.f_code.co_filename
        if filename.endswith(".md"):
            file, line = Path(filename), trace.tb_lineno
        trace = trace.tb_next
    if isinstance(fault, TemplateSyntaxError):
        file, line = Path(fault.filename or path), fault.lineno
    problem = fault.message if isinstance(fault, TemplateError) and fault.message else str(fault)
    return BadTemplate(file, line, problem)
