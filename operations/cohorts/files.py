"""A cohort's file in the browser: read what was uploaded, check it, keep versions, see what launching it comes to,
and launch exactly what was seen.

The same file language and the same checks as on disk: the texts are laid into a folder and read by the loader. Must
never launch what was not shown: what runs may change between seeing and confirming, and then nothing is done.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from temporalio.client import Client

from mail.own_templates import OwnTemplates
from mail.preview import EDITABLE
from mail.wording import FALLBACK, OWN, Templates
from operations import audit
from operations.audit import AuditEntry
from operations.cohorts.launch import ChangeResult, Launch, carry_out, is_known, look
from operations.cohorts.load import Faults, Loaded, load
from operations.errors import NotFound, Refused
from program.faults import Fault
from program.files.folders import template_folders
from program.files.reading import Source, read_yaml, too_large
from program.files.tables import XLSX, decoded, table_text
from program.languages import is_language
from program.limits import CSV_BYTES, YAML_BYTES
from program.loader import SHIPPED
from program.shelf import Shelf
from runtime.settings import Settings
from store.cohorts import files, mail_templates
from store.cohorts.files import MAIL, CohortTexts, FileVersion
from store.database import Database

__all__ = ["MAIL", "CohortTexts", "FileVersion"]

Part = Literal["file", "people", "pairs", "other"]
TABLES: tuple[Literal["people", "pairs"], ...] = ("people", "pairs")
ID = re.compile(r"[a-z][a-z0-9_-]{0,63}")
"""What a cohort may be called."""
WORDED = re.compile(r"(programs|forms)/([a-z][a-z0-9_-]{0,63})")
"""What a cohort can word in its own way in the form of a file: a program or a form, by its id."""
START_WITH = "small"
"""The shipped cohort that explains every line; a new file starts with it."""


@dataclass(frozen=True, slots=True)
class PartFault:
    """A fault with the part of the cohort's file in which it stands."""

    part: Part
    line: int
    column: int
    problem: str
    remedy: str
    file: str
    """Name of the file; of a program or form, which one."""


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """What reading a version came to."""

    loaded: Loaded | None
    faults: tuple[PartFault, ...]
    warnings: tuple[PartFault, ...]


@dataclass(frozen=True, slots=True)
class SeenLaunch:
    """What launching a version comes to, and the mark by which it is told whether that is still so."""

    loaded: Loaded
    launch: Launch
    mark: str
    other_mails: bool = False
    """The cohort runs, and its mails have other words than those of this version: launching leaves them."""


# -- what comes in ---------------------------------------------------------------------------------------------------


def text_in(raw: bytes, part: Part) -> str:
    """The text of an uploaded file: of a table whatever a spreadsheet wrote, of the cohort's file YAML in any usual
    encoding. Raises Faults."""
    name = "cohort.yaml" if part == "file" else f"{part}.csv"
    if part != "file":
        return kept_text(table_text(raw, name).text, part)
    if raw.startswith(XLSX):
        problem = "this is a workbook, and the cohort’s file is YAML"
        raise Faults([Fault(name, 1, 1, problem, "Upload the workbook as people or as pairs.")])
    return kept_text(decoded(raw, name).text, part)


def kept_text(text: str, part: Part) -> str:
    """A text that was typed or uploaded, as a version can keep it: of a size that is read, and without what no
    database holds. Raises Faults."""
    name, at_most = ("cohort.yaml", YAML_BYTES) if part == "file" else (f"{part}.csv", CSV_BYTES)
    if len(text) > at_most:
        raise Faults([too_large(name, len(text), at_most)])
    if (at := text.find("\x00")) >= 0:
        line = text.count("\n", 0, at) + 1
        raise Faults(
            [Fault(name, line, at - text.rfind("\n", 0, at), "this text holds a NUL character", "Delete it.")]
        )
    return text


def with_tables(texts: CohortTexts) -> CohortTexts:
    """The texts, where the file names each table that is there; a line is added for one that it does not name."""
    file = texts.file
    for name in TABLES:
        if getattr(texts, name).strip() and not re.search(rf"(?m)^{name}:", file):
            file = f"{file.rstrip()}\n{name}: {name}.csv\n"
    return replace(texts, file=file)


def check(texts: CohortTexts, cohort: str, now: datetime, settings: Settings, *, runs: bool) -> CheckedFile:
    """Read a version as the loader reads it from disk; every fault at once. `now` is program time (UTC).

    `runs`: the cohort is launched, and its start may lie in the past. Takes a while: call it in a thread.
    """
    with TemporaryDirectory(prefix="mentorship-") as folder:
        path = Path(folder, "config", "cohorts", f"{cohort}.yaml")
        path.parent.mkdir(parents=True)
        path.write_text(texts.file, encoding="utf-8")
        parts = {str(path): "file"}
        try:
            source = read_yaml(path)
        except Faults as found:
            return CheckedFile(None, _parts(found.faults, parts, folder), ())
        if foreign := _paths(source, path.name):
            return CheckedFile(None, foreign, ())
        parts |= _lay_tables(source, path, texts)
        for name, text in texts.wording.items():
            if WORDED.fullmatch(name):
                worded = path.parent.parent / f"{name}.yaml"
                worded.parent.mkdir(exist_ok=True)
                worded.write_text(text, encoding="utf-8")
        try:
            loaded = load(path, now, runs=runs, own=settings.own_config, mails=texts.mails)
        except Faults as found:
            return CheckedFile(None, _parts(found.faults, parts, folder), ())
        warnings = _parts(loaded.warnings, parts, folder)
        if loaded.cohort.cohort != cohort:
            place = source.place("cohort")
            problem = f"the cohort is called `{loaded.cohort.cohort}` here, and this is the file of `{cohort}`"
            remedy = f"Write `cohort: {cohort}`, or start a new cohort."
            return CheckedFile(None, (PartFault("file", place.line, place.column, problem, remedy, path.name),), ())
        return CheckedFile(loaded, (), warnings)


def _paths(source: Source, file: str) -> tuple[PartFault, ...]:
    """A fault for each table that is named by a path: only what was uploaded may be read here, and nothing else of
    the server."""
    faults: list[PartFault] = []
    for part in TABLES:
        name = source.text(part) or ""
        if name and (Path(name).name != name or "\\" in name or name in (file, ".", "..")):
            place = source.place(part)
            problem, remedy = f"`{part}` is a path here", f"Write a name alone, such as `{part}: {part}.csv`."
            faults.append(PartFault("file", place.line, place.column, problem, remedy, file))
    return tuple(faults)


def _lay_tables(source: Source, path: Path, texts: CohortTexts) -> dict[str, str]:
    """Write the tables under the names that the file gives them; path to part."""
    parts: dict[str, str] = {}
    for part in TABLES:
        name, text = source.text(part) or "", getattr(texts, part)
        beside = path.parent / name
        if name and text.strip() and Path(name).name == name and beside != path and str(beside) not in parts:
            beside.write_text(text, encoding="utf-8")
            parts[str(beside)] = part
    return parts


def _parts(faults: Collection[Fault], parts: dict[str, str], folder: str) -> tuple[PartFault, ...]:
    def part_of(fault: Fault) -> Part:
        return parts.get(fault.file, "other")  # pyright: ignore[reportReturnType]

    def name_of(fault: Fault) -> str:
        if Path(fault.file).is_relative_to(OWN):
            return fault.file
        return str(Path(fault.file).relative_to(folder)) if fault.file.startswith(folder) else Path(fault.file).name

    return tuple(
        PartFault(part_of(one), one.line, one.column, one.problem, one.remedy, name_of(one)) for one in faults
    )


# -- versions --------------------------------------------------------------------------------------------------------


async def begin(
    database: Database, cohort: str, like: str, now: datetime, *, by: str, proof: str, may_read: Collection[str]
) -> int:
    """Begin the file of a new cohort, with the shipped example or `like` another cohort's; the number of its version.

    `may_read` are the cohorts whose files this account may take over. Raises `Refused`.
    """
    if not ID.fullmatch(cohort):
        raise Refused("an id has small letters, digits, - and _, and begins with a letter, such as spring-2028")
    texts = CohortTexts((SHIPPED / "cohorts" / f"{START_WITH}.yaml").read_text("utf-8"))
    if like:
        if like not in may_read:
            raise Refused(f"the file of {like} is not yours to take over")
        found = await latest_texts(database, like)
        if found is None:
            raise Refused(f"no file of {like} is kept: it was launched before files were")
        texts = found
    renamed = replace(texts, file=re.sub(r"(?m)^cohort:[^#\n]*", f"cohort: {cohort} ", texts.file, count=1))
    staff = await staff_of(renamed)
    async with database.begin() as session:
        if not await files.is_free(session, cohort):
            raise Refused(f"there is a cohort {cohort} already; write another id")
        return await files.add(session, cohort, renamed, now, by, proof, staff)


async def save(database: Database, cohort: str, texts: CohortTexts, now: datetime, *, by: str, proof: str) -> int:
    """Keep a version, with faults or without; its number. The same texts again are no new version."""
    named = with_tables(texts)
    staff = await staff_of(named)
    async with database.begin() as session:
        return await files.add(session, cohort, named, now, by, proof, staff)


async def staff_of(texts: CohortTexts) -> list[str]:
    """The coordinators and deputies whom a file names, by which `files.add` knows who may open it."""
    return await asyncio.to_thread(files.staff_in, texts.file)


async def latest_texts(database: Database, cohort: str) -> CohortTexts | None:
    """The texts of the latest version; None where no file of this cohort is kept."""
    async with database.session() as session:
        kept = await files.versions(session, cohort)
        return await files.texts_of(session, cohort, kept[0].version) if kept else None


def worded_text(texts: CohortTexts, name: str, settings: Settings) -> str:
    """The text of a program, form or mail (`forms/check_in`, `mail/en/check_in`) as this cohort has it: its own, or
    the file that it uses. A mail that a language lacks begins with the English text. Raises `NotFound`.
    """
    if name.startswith(MAIL):
        return _mail_text(texts.mails, name.removeprefix(MAIL), settings)
    known = WORDED.fullmatch(name)
    path = (
        Shelf.around(SHIPPED / "cohorts" / "x.yaml", settings.own_config).find(known[1], known[2]) if known else None
    )
    if name not in texts.wording and path is None:
        raise NotFound(f"there is no {name}")
    return texts.wording[name] if name in texts.wording or path is None else path.read_text("utf-8-sig")


def _mail_text(own: OwnTemplates, name: str, settings: Settings) -> str:
    language, _, mail = name.partition("/")
    if mail not in EDITABLE or not is_language(language):
        raise NotFound(f"there is no mail {name}")
    templates = Templates(template_folders(None, settings.own_config), own)
    path = templates.file_for(language, mail) or templates.file_for(FALLBACK, mail)
    if path is None:
        raise NotFound(f"there is no mail {name}")
    return templates.text_of(path)


def mark_of(texts: CohortTexts, name: str) -> str:
    """By what it is told whether somebody else has changed a text since it was shown."""
    return sha256(texts.wording.get(name, "").encode("utf-8", "replace")).hexdigest()[:16]


async def earlier_texts(database: Database, cohort: str, name: str) -> list[FileVersion]:
    """The versions in which a text was another than in the version after, the latest first."""
    async with database.session() as session:
        return await files.with_another(session, cohort, name)


async def known_version(database: Database, cohort: str, version: int) -> CohortTexts:
    """The texts of a version. Raises `NotFound`."""
    async with database.session() as session:
        texts = await files.texts_of(session, cohort, version)
    if texts is None:
        raise NotFound(f"{cohort} has no version {version} of its file")
    return texts


async def launched_from_disk(database: Database, texts: CohortTexts, cohort: str, now: datetime, by: str) -> int:
    """Keep what the command line has launched as a version, for the browser to know; its number."""
    texts = await with_kept_mails(database, cohort, texts)
    staff = await staff_of(texts)
    async with database.begin() as session:
        version = await files.add(session, cohort, texts, now, by, audit.COMMAND_LINE, staff)
        await files.launched(session, cohort, version, now, by)
    return version


async def with_kept_mails(database: Database, cohort: str, texts: CohortTexts) -> CohortTexts:
    """The texts of a file on disk with the mail templates of the latest version that is kept: they stand in no file
    there."""
    latest = await latest_texts(database, cohort)
    mails = {name: text for name, text in (latest.wording if latest else {}).items() if name.startswith(MAIL)}
    return replace(texts, wording={**mails, **texts.wording})


def tables_of(texts: CohortTexts) -> dict[str, str]:
    """Name to text of the tables, as the file names them; the usual name where it can't be read."""
    named: dict[str, str] = {}
    for part in TABLES:
        found = re.search(rf"(?m)^{part}:([^#\n]*)", texts.file)
        said = found[1].strip(" \t\"'") if found else ""
        name = said if re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9 ._-]*", said) else f"{part}.csv"
        if getattr(texts, part):
            named[name] = getattr(texts, part)
    ends = {name: "md" if name.startswith(MAIL) else "yaml" for name in texts.wording}
    return named | {f"{name}.{ends[name]}": text for name, text in texts.wording.items()}


async def launched_elsewhere(database: Database, cohort: str, texts: CohortTexts) -> FileVersion | None:
    """The version that was launched last, where that was in a browser and none of its versions says what these texts
    say; None otherwise."""
    texts = await with_kept_mails(database, cohort, texts)
    async with database.session() as session:
        kept = await files.versions(session, cohort)
    launched = [version for version in kept if version.launched_at is not None]
    if not launched or any(version.digest == texts.digest for version in kept):
        return None
    last = max(launched, key=lambda version: version.launched_at or version.at)
    return last if last.proof != audit.COMMAND_LINE else None


def texts_on_disk(path: Path) -> CohortTexts:
    """The texts of a cohort's file on disk with its tables; of a table in XLSX, the CSV that is read from it. Raises
    Faults."""
    source = read_yaml(path)
    tables: dict[str, str] = {}
    for part in TABLES:
        name = source.text(part)
        if name and (path.parent / name).is_file():
            tables[part] = table_text((path.parent / name).read_bytes(), name).text
    return CohortTexts(path.read_text("utf-8-sig"), tables.get("people", ""), tables.get("pairs", ""))


# -- launching -------------------------------------------------------------------------------------------------------


async def see(
    database: Database, client: Client, loaded: Loaded, now: datetime, *, by: str, end_missing: bool
) -> SeenLaunch:
    """What launching a version comes to; nothing is written. `by` is the account that launches, whose right
    to do so was checked. Raises `Refused`, `KnownOtherwise`, and RPCError where Temporal does not answer."""
    planned = await look(database, client, loaded, now, end_missing=end_missing, by=by, signed_in=True)
    other = await runs(database, loaded.cohort.cohort)
    if other:
        async with database.session() as session:
            in_force = await mail_templates.in_force(session, loaded.cohort.cohort)
        other = in_force != OwnTemplates.of(loaded.mails)
    return SeenLaunch(loaded, planned, _mark(loaded, planned), other)


def _mark(loaded: Loaded, planned: Launch) -> str:
    compared = planned.compared
    told: tuple[Any, ...] = (
        sorted(loaded.hashes.items()), compared.state, compared.new, compared.waiting, compared.new_people,
        [(each.mentorship, each.what, each.refused) for each in (*planned.wanted, *planned.ends)],
        [(each.kind, each.id, each.field, str(each.before), str(each.after)) for each in compared.differences],
    )  # fmt: skip
    return sha256(repr(told).encode()).hexdigest()[:16]


async def confirm(
    database: Database,
    client: Client,
    settings: Settings,
    version: FileVersion,
    seen: SeenLaunch,
    mark: str,
    now: datetime,
    *,
    entry: AuditEntry,
    why: str = "",
) -> list[ChangeResult]:
    """Launch a version, as it was seen. Raises `Refused` where it would do something else by now: nothing is done
    then. Launching the same version again finishes what broke off."""
    if seen.mark != mark:
        raise Refused("what runs has changed since you looked; look again")
    await audit.record(database, now, entry)
    results = await carry_out(database, client, settings, seen.loaded, seen.launch, now, why=why)
    async with database.begin() as session:
        await files.launched(session, version.cohort, version.version, now, entry.by)
    return results


async def runs(database: Database, cohort: str) -> bool:
    """Whether a cohort is launched."""
    return await is_known(database, cohort)
