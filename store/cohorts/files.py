"""The versions of a cohort's file: saved in a browser or launched from disk.

A version is never rewritten, but that the words of somebody who was erased are taken out of it. Must never be read by
a worker: what runs is what was launched, and stands in its own tables.
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import groupby, pairwise
from secrets import token_urlsafe
from typing import Any

from ruamel.yaml import YAML
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mail.own_templates import OwnTemplates
from program.limits import YAML_BYTES
from store.tables import CohortFileRow, CohortRow, ParticipantRow

UNREADABLE = "# A person of this version was erased, and the version could not be read: it was taken out.\n"


MAIL = "mail/"
"""How the name of a mail template begins, among what a cohort words in its own way."""


@dataclass(frozen=True, slots=True)
class CohortTexts:
    """The texts of a version: the cohort's file, and the CSVs that it names (empty: none)."""

    file: str = field(repr=False)
    people: str = field(default="", repr=False)
    pairs: str = field(default="", repr=False)
    wording: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Texts of programs, forms and mails that are worded for this cohort alone: `forms/check_in`,
    `mail/en/check_in`."""

    @property
    def mails(self) -> OwnTemplates:
        """The mail templates among them."""
        return OwnTemplates.of(
            {name.removeprefix(MAIL): text for name, text in self.wording.items() if name.startswith(MAIL)}
        )

    @property
    def digest(self) -> str:
        """The hash by which the same texts are known, in a browser and on disk: line ends do not count."""
        own = (part for name in sorted(self.wording) for part in (name, self.wording[name]))
        parts = ("\n".join(text.splitlines()) for text in (self.file, self.people, self.pairs, *own))
        return sha256("\x00".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class FileVersion:
    """A version without its texts. Moments are program time (UTC)."""

    cohort: str
    version: int
    digest: str
    by: str
    """Id of an account; empty where nobody was named."""
    proof: str
    at: datetime
    launched_at: datetime | None
    launched_by: str


async def add(
    session: AsyncSession,
    cohort: str,
    texts: CohortTexts,
    at: datetime,
    by: str,
    proof: str,
    staff: Sequence[str] | None = None,
) -> int:
    """Keep a version; its number. The texts of the latest version again are no new one.

    `staff` is what `staff_in` says of the file, which takes a while: work it out before the transaction. None where
    the file is that of the latest version.
    """
    latest = await _latest(session, cohort)
    if latest is not None and latest.digest == texts.digest:
        return latest.version
    number = latest.version + 1 if latest else 1
    named = latest.staff if staff is None and latest is not None else staff or ()
    session.add(
        CohortFileRow(
            id=token_urlsafe(12), cohort=cohort, version=number, digest=texts.digest, file=texts.file,
            people=texts.people, pairs=texts.pairs, wording=dict(texts.wording), staff=list(named), by=by,
            proof=proof, at=at, launched_at=None, launched_by="",
        )
    )  # fmt: skip
    await session.flush()
    return number


async def _latest(session: AsyncSession, cohort: str) -> Any:
    query = select(CohortFileRow.version, CohortFileRow.digest, CohortFileRow.staff).where(
        CohortFileRow.cohort == cohort
    )
    return (await session.execute(query.order_by(CohortFileRow.version.desc()).limit(1))).one_or_none()


async def versions(session: AsyncSession, cohort: str) -> list[FileVersion]:
    """Every version, the latest first."""
    rows = await session.execute(
        select(
            CohortFileRow.cohort, CohortFileRow.version, CohortFileRow.digest, CohortFileRow.by, CohortFileRow.proof,
            CohortFileRow.at, CohortFileRow.launched_at, CohortFileRow.launched_by,
        )
        .where(CohortFileRow.cohort == cohort)
        .order_by(CohortFileRow.version.desc())
    )  # fmt: skip
    return [FileVersion(*row) for row in rows]


async def with_another(session: AsyncSession, cohort: str, name: str, most: int = 20) -> list[FileVersion]:
    """The versions in which this part of the wording is another than in the version after, the latest first; so
    many at most."""
    texts = CohortFileRow.wording[name].as_string()
    rows = await session.execute(
        select(CohortFileRow.version, texts)
        .where(CohortFileRow.cohort == cohort)
        .order_by(CohortFileRow.version.desc())
    )
    kept = [(version, text) for version, text in rows]
    other = [version for (_, after), (version, text) in pairwise(kept) if text != after][:most]
    return [one for one in await versions(session, cohort) if one.version in other] if other else []


async def texts_of(session: AsyncSession, cohort: str, version: int) -> CohortTexts | None:
    """The texts of a version; None where there is no such version."""
    row = (
        await session.execute(
            select(CohortFileRow.file, CohortFileRow.people, CohortFileRow.pairs, CohortFileRow.wording).where(
                CohortFileRow.cohort == cohort, CohortFileRow.version == version
            )
        )
    ).one_or_none()
    return CohortTexts(*row) if row else None


async def launched(session: AsyncSession, cohort: str, version: int, at: datetime, by: str) -> None:
    """Write down that a version was launched."""
    await session.execute(
        update(CohortFileRow)
        .where(CohortFileRow.cohort == cohort, CohortFileRow.version == version)
        .values(launched_at=at, launched_by=by)
    )


async def drafts_of(session: AsyncSession, account: str, person: str) -> list[tuple[str, datetime]]:
    """(cohort, when saved last) of the cohorts that are not launched and whose file an account may open: it saved a
    version, or the latest one names its `person` as coordinator or deputy, by id or address; latest first."""
    rows = await session.execute(
        select(CohortFileRow.cohort, CohortFileRow.at, CohortFileRow.by, CohortFileRow.staff)
        .outerjoin(CohortRow, CohortRow.id == CohortFileRow.cohort)
        .where(CohortRow.id.is_(None))
        .order_by(CohortFileRow.cohort, CohortFileRow.version)
    )
    address = await session.scalar(select(ParticipantRow.email).where(ParticipantRow.id == person)) if person else ""
    named = {person, (address or "").lower()} - {""}
    found: dict[str, datetime] = {}
    for cohort, versions_of in groupby(rows, lambda row: row.cohort):
        kept = list(versions_of)
        if any(row.by == account for row in kept) or not named.isdisjoint(kept[-1].staff):
            found[cohort] = kept[-1].at
    return sorted(found.items(), key=lambda draft: draft[1], reverse=True)


async def is_free(session: AsyncSession, cohort: str) -> bool:
    """Whether no cohort and no file has this id."""
    known = await session.scalar(select(CohortRow.id).where(CohortRow.id == cohort))
    return known is None and await _latest(session, cohort) is None


# -- erasing a person ------------------------------------------------------------------------------------------------


async def naming(session: AsyncSession, person: str) -> list[str]:
    """The texts of cohorts' files, each once, in which the id of this person may stand."""
    texts = await session.scalars(
        select(CohortFileRow.file).where(CohortFileRow.file.contains(person, autoescape=True)).distinct()
    )
    return list(texts)


def without_entries(files: Iterable[str], person: str) -> dict[str, str]:
    """Each text with what `without_entry` makes of it. Takes a while: call it in a thread, before the transaction."""
    return {file: without_entry(file, person) for file in files}


async def forget(
    session: AsyncSession, person: str, out_of_text: Callable[[str], str], cut: Mapping[str, str]
) -> int:
    """Take a person out of every version: their entry, and their names wherever else they stand; how many changed.

    `cut` is what `without_entries` makes of the texts that it knows.
    """
    changed = 0
    for row in await session.scalars(select(CohortFileRow)):
        before = (row.file, row.people, row.pairs)
        after = await asyncio.to_thread(_without, before, person, out_of_text, cut)
        if after != before:
            row.file, row.people, row.pairs = after
            row.staff = [one for one in row.staff if out_of_text(one) == one] if row.file != UNREADABLE else []
            row.wording = {name: out_of_text(text) for name, text in row.wording.items()}
            changed += 1
    await session.flush()
    return changed


def _without(
    texts: tuple[str, str, str], person: str, out_of_text: Callable[[str], str], cut: Mapping[str, str]
) -> tuple[str, str, str]:
    file, people, pairs = texts
    entries = cut[file] if file in cut else without_entry(file, person)
    return out_of_text(entries), out_of_text(without_row(people, person)), out_of_text(pairs)


def staff_in(file: str) -> list[str]:
    """Ids and addresses, in small letters, of the coordinators and deputies whom the text of a cohort's file names;
    none where it can't be read. Takes a while for a long file: call it in a thread."""
    if len(file) > YAML_BYTES:
        return []
    try:
        reader: Any = YAML(typ="rt")
        top = reader.compose(file)
        return sorted(
            {
                given.value.strip().lower() if name.value == "email" else given.value
                for key, value in (top.value if top is not None and top.id == "mapping" else ())
                if value.id == "sequence" and key.value in ("coordinators", "deputies")
                for entry in value.value
                if entry.id == "mapping"
                for name, given in entry.value
                if name.value in ("id", "email") and given.id == "scalar"
            }
        )
    except Exception:  # whatever the reader meets: the file is told of where it is checked
        return []


def without_row(table: str, person: str) -> str:
    """A CSV of people without the row of this person."""
    if person not in table:
        return table
    first = table.lstrip().splitlines()[0]
    delimiter = max(",;\t", key=first.count)
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=delimiter, lineterminator="\n")
    try:
        rows = list(csv.reader(io.StringIO(table, newline=""), delimiter=delimiter))
    except csv.Error:
        return UNREADABLE
    head = [cell.strip().lower() for cell in rows[0]] if rows else []
    at = head.index("id") if "id" in head else 0
    writer.writerows(row for row in rows if len(row) <= at or row[at].strip() != person)
    return written.getvalue()


def without_entry(file: str, person: str) -> str:
    """The text of a cohort's file without the entry of this person, whichever list of people it stands in."""
    if person not in file:
        return file
    try:
        reader: Any = YAML(typ="rt")
        top = reader.compose(file)
        spans = [
            (entry.start_mark.index, entry.end_mark.index)
            for key, value in (top.value if top is not None and top.id == "mapping" else ())
            if value.id == "sequence" and key.value in ("participants", "coordinators", "deputies", "readers")
            for entry in value.value
            if entry.id == "mapping"
            and any(name.value == "id" and str(given.value) == person for name, given in entry.value)
        ]
    except Exception:  # whatever the reader meets in a text that was never valid: nothing of it may stay
        return UNREADABLE
    for begins, ends in sorted(spans, reverse=True):
        entry = file[begins:ends]
        kept = entry[len(entry.rstrip()) :]
        erased = f"{{id: {person}, name: Former participant, email: {person}@erased.invalid}}"
        file = f"{file[:begins]}{erased}{kept}{file[ends:]}"
    return file
