"""Finds the faults of mail templates before a mail is sent: each is rendered with every sample that uses it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from jinja2 import TemplateError, TemplateSyntaxError

from mail.compose import Composer
from mail.headers import BadHeader
from mail.inserts import BadInsert
from mail.letters import NAMES
from mail.own_templates import BYTES_AT_MOST, NAMED, SHARED, OwnTemplates, not_allowed
from mail.preview import EDITABLE, FORMATS, Sample, sample_tasks, samples, with_own
from mail.wording import FALLBACK, FRAME, OWN, SEVERAL_TASKS, SHIPPED, WORDS, BadTemplate, Templates, problem_of
from program.faults import nearest
from program.languages import is_language, near_language
from program.models import Format


def check_templates(
    folders: Path | Sequence[Path] = SHIPPED, formats: Collection[Format] = FORMATS, own: OwnTemplates = SHARED
) -> list[tuple[str, int, str]]:
    """Every fault of the mail templates of some folders in the wording of these formats, with a cohort's own before
    them: (file, line, what is wrong).

    Each template is rendered with every sample that uses it, so a word that only mentors of groups see is
    found as well. A language may lack templates (see `missing_templates`), English may not. What a cohort's own may
    not do is told before anything of it is rendered.
    """
    folders = (folders,) if isinstance(folders, Path) else tuple(folders)
    faults: dict[tuple[str, int, str], None] = {}
    for name in ("layout.html", "section.html", "layout.css"):
        if not any((folder / name).is_file() for folder in folders):
            faults[str(folders[-1] / name), 1, "is missing; it is the frame of every mail"] = None
    faults.update(dict.fromkeys(_faults_of_own(own)))
    if faults:
        return list(faults)
    composer = Composer(folders)
    for folder in folders:
        faults.update(dict.fromkeys(_strangers(folder)))
    for language in composer.templates_of(own).languages():
        faults.update(dict.fromkeys(_faults_of(composer, language, formats, own)))
    return list(faults)


def missing_templates(
    folders: Path | Sequence[Path] = SHIPPED, own: OwnTemplates = SHARED
) -> dict[str, tuple[str, ...]]:
    """Language to the templates that it lacks, of the languages that there are templates for; English lacks none.

    A mail that needs one of them is in English as a whole.
    """
    templates = Templates(folders, own)
    return {
        language: templates.lacking(language, (*NAMES, FRAME, SEVERAL_TASKS)) for language in templates.languages()
    }


def _faults_of_own(own: OwnTemplates) -> Iterator[tuple[str, int, str]]:
    """What the templates of a cohort may not be called, hold or do."""
    for name, text in own.texts.items():
        file = str(OWN / f"{name}.md")
        named = NAMED.fullmatch(name)
        if named is None or not is_language(named[1]) or named[2] not in EDITABLE:
            yield file, 1, "no mail has this name"
        elif len(text.encode("utf-8", "replace")) > BYTES_AT_MOST:
            yield file, 1, f"is larger than {BYTES_AT_MOST // 1000} kB"
        else:
            try:
                for line, problem in not_allowed(text):
                    yield file, line, problem
            except TemplateSyntaxError as fault:
                yield file, fault.lineno, fault.message or "does not parse"


def _strangers(folder: Path) -> Iterator[tuple[str, int, str]]:
    """Folders and files that no mail is ever made of."""
    known = {*NAMES, FRAME, SEVERAL_TASKS, WORDS}
    for inner in sorted(path for path in folder.iterdir() if path.is_dir()):
        if not is_language(inner.name):
            near = near_language(inner.name)
            meant = f"did you mean {near}?" if near else "name it after one, such as de or pt-BR"
            yield str(inner), 1, f"{inner.name} is no code of a language; {meant}"
            continue
        for path in sorted(inner.glob("*.md")):
            if path.stem not in known:
                near = nearest(path.stem, known)
                meant = f"did you mean {near[0]}?" if near else f"the mails are {', '.join(NAMES)}"
                yield str(path), 1, f"no mail has this name; {meant}"


def _faults_of(
    composer: Composer, language: str, formats: Collection[Format], own: OwnTemplates
) -> Iterator[tuple[str, int, str]]:
    templates = composer.templates_of(own)
    for one in (*samples(language, formats), Sample(SEVERAL_TASKS, sample_tasks(language))):
        name = SEVERAL_TASKS if one.label == SEVERAL_TASKS else one.letter.items[0].name
        path = templates.file(language, name)
        framed = path is not None and not templates.lacking(language, (name, FRAME))
        if language != FALLBACK and path is None:
            continue
        try:
            if framed or language == FALLBACK:
                composer.compose(with_own(one.letter, own))
            else:
                templates.wording(name, language)
        except BadTemplate as fault:
            yield str(fault.path), fault.line, fault.problem
        except (TemplateError, BadInsert, BadHeader, ArithmeticError, LookupError, TypeError, ValueError) as fault:
            found = problem_of(fault, path or templates.folders[-1] / FALLBACK / f"{name}.md")
            yield str(found.path), found.line, found.problem
