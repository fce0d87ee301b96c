"""Reads the templates, once, and reports errors by file and line.

A template is `templates/mail/<language>/<name>.md`: YAML front matter with the short texts (subject, preheader,
heading, button), then the body in Markdown. All of it is Jinja2 in its sandbox, with nothing undefined allowed.
A cohort's own templates come first, then the folders in order, file by file. A mail is in one language: where that
lacks one of the templates that the mail needs, the whole mail is in English.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import (
    BaseLoader,
    Environment,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
)
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from mail.compiled_templates import CompiledTemplates
from mail.own_templates import SHARED, OwnTemplates
from program.languages import base_language, is_language

SHIPPED = Path(__file__).resolve().parent.parent / "templates" / "mail"
FALLBACK = "en"
FRAME = "frame"
"""The mail around the items: greeting, closing, footer."""
SEVERAL_TASKS = "tasks"
"""Several tasks of one coordinator, as one table."""
WORDS = "words"
"""Macros that all templates of a language share."""

_COMPILED = CompiledTemplates()

BYTES_AT_MOST = 100_000
"""Of one template; the longest that ships has a few thousand."""

OWN = Path("mail")
"""The folder in which a cohort's own templates seem to be: `mail/en/check_in.md`."""

_NAME = re.compile(r"[a-z_]+")
_TAG = re.compile(r"\{%.*?%\}")
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


@dataclass(frozen=True, slots=True, eq=False)
class Wording:
    """One template, compiled. Each is itself alone, so that what it said can be remembered by it."""

    path: Path
    language: str
    texts: Mapping[str, Template]
    buttons: Mapping[str, Template]
    """Several buttons by the name of their link; empty where there is one or none."""
    body: Template

    def short(self, text: str, context: Mapping[str, Any]) -> str:
        """One of the short texts as one line, or an empty string where the template has none."""
        return flat(self.texts[text].render(context)) if text in self.texts else ""


def languages_of_mails(folders: Iterable[Path]) -> tuple[str, ...]:
    """The languages that a person can choose from: those with a frame of their own, whatever else they lack."""
    templates = Templates(folders)
    return tuple(language for language in templates.languages() if not templates.lacking(language, (FRAME,)))


def flat(rendered: str) -> str:
    """A short text as one line of plain text (Jinja's autoescape undone: it is escaped where it is put)."""
    return html.unescape(" ".join(rendered.split()))


class _Loader(BaseLoader):
    """Shared macros are found and read the same way as templates."""

    def __init__(self, templates: Templates, language: str) -> None:
        self._templates, self._language = templates, language

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        name = template.removesuffix(".md")
        path = self._templates.file_for(self._language, name) if _NAME.fullmatch(name) else None
        if path is None:
            raise TemplateNotFound(template)
        return _keeping_line_ends(self._templates.text_of(path)), str(path), lambda: True


class Templates:
    """A cohort's own templates and those of some folders, the first that has a file first; read at first use and
    kept."""

    def __init__(self, folders: Path | Iterable[Path] = SHIPPED, own: OwnTemplates = SHARED) -> None:
        self.folders = (folders,) if isinstance(folders, Path) else tuple(folders)
        self._own = {OWN / f"{name}.md": text for name, text in own.texts.items()}
        self._environments: dict[str, ImmutableSandboxedEnvironment] = {}
        self._wordings: dict[tuple[str, str], Wording] = {}
        self._languages: dict[tuple[str, frozenset[str]], str] = {}
        self._with_words: dict[Path, bool] = {}

    def languages(self) -> tuple[str, ...]:
        """The languages that there are templates for, whole or in part."""
        found = {one.name for folder in self.folders for one in folder.iterdir() if one.is_dir()}
        found |= {path.parent.name for path in self._own}
        return tuple(sorted(name for name in found if is_language(name)))

    def file(self, language: str, name: str) -> Path | None:
        """The template of this name in exactly this language, from the first place that has it."""
        if (own := OWN / language / f"{name}.md") in self._own:
            return own
        paths = (folder / language / f"{name}.md" for folder in self.folders)
        return next((path for path in paths if path.is_file()), None)

    def language_of(self, wanted: str, names: Iterable[str]) -> str:
        """The language of a mail that needs these templates and the frame: the wanted one (`pt-BR`), its plain form
        (`pt`) where that is what there is, or English where neither has all of them."""
        needed = frozenset((*names, FRAME))
        known = self._languages.get((wanted, needed))
        if known is None:
            known = self._languages[wanted, needed] = self._language_of(wanted, needed)
        return known

    def _language_of(self, wanted: str, needed: Collection[str]) -> str:
        if not is_language(wanted) or self.lacking(wanted, needed):
            return FALLBACK
        return wanted if any(self.file(wanted, name) for name in needed) else base_language(wanted)

    def lacking(self, language: str, names: Iterable[str]) -> tuple[str, ...]:
        """Which of these templates the language lacks, its shared words among them where one of the others uses
        them."""
        found = {name: self.file_for(language, name) for name in names}
        missing = [name for name, path in found.items() if path is None]
        if self.file_for(language, WORDS) is None and any(self._uses_words(path) for path in found.values() if path):
            missing.append(WORDS)
        return tuple(sorted(missing))

    def file_for(self, language: str, name: str) -> Path | None:
        """The template of this name in this language or its plain form."""
        return next((path for form in _forms_of(language) if (path := self.file(form, name))), None)

    def _uses_words(self, path: Path) -> bool:
        """Whether a template, its short texts included, asks for one of the shared words. One that does not parse is
        told of when it is read."""
        known = self._with_words.get(path)
        if known is None:
            try:
                text = self.text_of(path)
                known = "words" in text and "words" in find_undeclared_variables(Environment().parse(text))
            except (BadTemplate, TemplateSyntaxError):
                known = False
            self._with_words[path] = known
        return known

    def wording(self, name: str, language: str) -> Wording:
        """The template of this name in this language, else in its plain form (`pt` for `pt-BR`), else in English.
        Raises BadTemplate. For a mail, ask `language_of` first."""
        known = self._wordings.get((name, language))
        if known is None:
            known = self._wordings[name, language] = self._read(name, language)
        return known

    def _read(self, name: str, language: str) -> Wording:
        for candidate in (*(_forms_of(language) if is_language(language) else ()), FALLBACK):
            path = self.file(candidate, name)
            if path is not None:
                return self.compile(path, candidate)
        wanted = self.folders[-1] / FALLBACK / f"{name}.md"
        raise BadTemplate(wanted, 1, f"there is no template {name}.md; every mail needs one in {FALLBACK}/")

    def _environment(self, language: str) -> ImmutableSandboxedEnvironment:
        environment = self._environments.get(language)
        if environment is None:
            # Text from people is a placeholder here (mail.inserts); autoescape covers a template's own strings.
            environment = self._environments[language] = ImmutableSandboxedEnvironment(
                loader=_Loader(self, language),
                undefined=StrictUndefined,
                autoescape=True,
                trim_blocks=True,
                lstrip_blocks=True,
                auto_reload=False,
                bytecode_cache=_COMPILED,
            )
            if self.file_for(language, WORDS) is not None:
                environment.globals["words"] = environment.get_template(f"{WORDS}.md").module
        return environment

    def text_of(self, path: Path) -> str:
        """The text of a template. Raises BadTemplate."""
        return self._own[path] if path in self._own else _text_of(path)

    def compile(self, path: Path, language: str) -> Wording:
        """A template from its file. Raises BadTemplate with the line."""
        lines = self.text_of(path).split("\n")
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
        except (YAMLError, ValueError, RecursionError):
            raise BadTemplate(path, 1, "the short texts are no YAML; look for control characters") from None
        if not isinstance(front, CommentedMap):
            raise BadTemplate(path, 2, "the short texts are lines such as subject: Your check-in")
        return front


def _text_of(path: Path) -> str:
    """Raises BadTemplate."""
    try:
        with path.open("rb") as opened:
            raw = opened.read(BYTES_AT_MOST + 1)
    except OSError:
        raise BadTemplate(path, 1, "can't be read") from None
    if len(raw) > BYTES_AT_MOST:
        raise BadTemplate(path, 1, f"is larger than {BYTES_AT_MOST // 1000} kB")
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise BadTemplate(path, raw[: error.start].count(b"\n") + 1, "is not UTF-8; save it as UTF-8") from None


def _forms_of(language: str) -> tuple[str, ...]:
    """The language and its plain form: `pt-BR` and `pt`."""
    return tuple(dict.fromkeys((language, base_language(language))))


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
    bucket = _COMPILED.get_bucket(environment, path.name, str(path), padded)
    if bucket.code is None:
        try:
            bucket.code = environment.compile(padded, path.name, str(path))
        except TemplateSyntaxError as fault:
            raise BadTemplate(path, fault.lineno, fault.message or "does not parse") from None
        _COMPILED.set_bucket(bucket)
    # The globals as they are: what `make_globals` chains before them is copied name by name at every rendering.
    return Template.from_code(environment, bucket.code, environment.globals)


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
