"""Words the mails of a cohort that runs by the templates that a version of its file has of its own.

An edit touches nobody by itself: it takes effect when the version is put in force here, or launched for the first
time. Every worker and page reads what is in force from the database. What was worded before goes out as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.batch import CANCELLED
from mail.own_templates import OwnTemplates
from mail.preview import FORMATS
from mail.wording import FRAME
from operations import audit
from operations.audit import AuditEntry
from operations.cohorts.load import check_templates_again
from operations.errors import Refused
from operations.mentorships.status import known_cohort
from operations.people.deciders import who_decides
from program.files.folders import template_folders
from runtime.settings import Settings
from store import operations_log
from store.cohorts import files, mail_templates
from store.cohorts.files import CohortTexts
from store.cohorts.mail_templates import MailsOnTheirWay
from store.database import Database
from store.people import people

KIND = "reword"
"""The kind of the command in the log."""


@dataclass(frozen=True, slots=True)
class Rewording:
    """What putting the words of a version in force changes. Names are `language/mail`, such as `en/check_in`."""

    cohort: str
    version: int
    before: OwnTemplates
    after: OwnTemplates
    on_their_way: MailsOnTheirWay

    @property
    def own(self) -> tuple[str, ...]:
        """Templates that the cohort gets, or has in other words from now on."""
        texts = self.after.texts
        return tuple(sorted(name for name in texts if texts[name] != self.before.texts.get(name)))

    @property
    def shared(self) -> tuple[str, ...]:
        """Templates that are those of the installation again."""
        return tuple(sorted(set(self.before.texts) - set(self.after.texts)))

    @property
    def nothing(self) -> bool:
        """Whether these words are in force already."""
        return self.before == self.after

    @property
    def waiting(self) -> Mapping[str, int]:
        """Name of a mail to the items that wait and will be worded in another way. What stands around every mail
        concerns all of them."""
        mails = {name.partition("/")[2] for name in (*self.own, *self.shared)}
        waits = self.on_their_way.waiting
        return waits if FRAME in mails else {name: waits[name] for name in waits if name in mails}


def in_folder(folder: Path) -> OwnTemplates:
    """The templates in a folder that has one folder for each language. Raises `Refused`."""
    try:
        texts = {
            f"{path.parent.name}/{path.stem}": path.read_text("utf-8-sig") for path in sorted(folder.glob("*/*.md"))
        }
    except (OSError, UnicodeDecodeError) as unread:
        raise Refused(f"a template in {folder} can't be read ({type(unread).__name__})") from None
    if not texts:
        raise Refused(f"there is no template in {folder}; one would be {folder / 'en' / 'check_in.md'}")
    return OwnTemplates.of(texts)


async def outlook(
    database: Database, settings: Settings, cohort: str, version: int = 0, *, own: OwnTemplates | None = None
) -> Rewording:
    """What putting a version's words in force would change; 0 is the latest version. Nothing is written. With `own`,
    what these templates would, in place of those of the latest version.

    Raises `NotFound` where the cohort is not launched, and `Refused` where it is cancelled, there is no such version,
    or a template of it does not render.
    """
    async with database.session() as session:
        seen = await _outlook(session, cohort, version)
    seen = seen if own is None else replace(seen, version=0, after=own)
    folders = template_folders(None, settings.own_config)
    faults = await asyncio.to_thread(check_templates_again, folders, FORMATS, seen.after) if seen.after.texts else ()
    for file, line, problem in faults:
        raise Refused(f"a mail has a fault: {file}, line {line}: {problem}")
    return seen


async def keep(database: Database, seen: Rewording, now: datetime, *, by: str = "", proof: str = "") -> Rewording:
    """Keep the templates that were seen as the next version of the cohort's file, which else stays as it is."""
    async with database.begin() as session:
        decider = who_decides(seen.cohort, await people.deciders(session, seen.cohort), by)
        [latest, *_] = await files.versions(session, seen.cohort)
        texts = await files.texts_of(session, seen.cohort, latest.version)
        wording = texts.wording if texts else {}
        others = {name: text for name, text in wording.items() if not name.startswith(files.MAIL)}
        own = {f"{files.MAIL}{name}": text for name, text in seen.after.texts.items()}
        kept = replace(texts or CohortTexts(""), wording=others | own)
        return replace(seen, version=await files.add(session, seen.cohort, kept, now, decider, proof))


async def _outlook(session: AsyncSession, cohort: str, version: int) -> Rewording:
    row = await known_cohort(session, cohort)
    if row.state == CANCELLED:
        raise Refused(f"{cohort} was cancelled; none of its mails are still to be worded")
    kept = await files.versions(session, cohort)
    if not kept:
        raise Refused(f"no file of {cohort} is kept; save one on the pages, or launch it again")
    number = version or kept[0].version
    texts = await files.texts_of(session, cohort, number)
    if texts is None:
        raise Refused(f"{cohort} has no version {number} of its file; the latest is {kept[0].version}")
    before = await mail_templates.known(session, row.mails)
    return Rewording(cohort, number, before, texts.mails, await mail_templates.on_their_way(session, cohort))


async def reword(
    database: Database,
    seen: Rewording,
    now: datetime,
    *,
    by: str = "",
    why: str = "",
    proof: str = "",
    signed_in: bool = False,
) -> bool:
    """Put in force what was seen; False where it is already. `now` is program time (UTC), `by` who does it,
    `signed_in` where their right to was checked. With a `proof` the audit says who did it, by it.

    Raises `Refused` where other words are in force by now than when it was seen.
    """
    async with database.begin() as session:
        current = await _outlook(session, seen.cohort, seen.version)
        if current.nothing:
            return False
        if (current.before, current.after) != (seen.before, seen.after):
            raise Refused("other words are in force by now; look again")
        decider = who_decides(seen.cohort, await people.deciders(session, seen.cohort), by, signed_in=signed_in)
        id_ = f"{KIND}/{seen.cohort}/{uuid4().hex[:12]}"
        detail = {"version": seen.version}
        await operations_log.put_operation(session, id_, KIND, seen.cohort, "", detail, decider, why, now)
        if proof:
            ids = [str(seen.version)]
            await audit.put(session, now, AuditEntry(KIND, decider, proof, seen.cohort, ids, reason=why))
        await mail_templates.put(session, seen.cohort, seen.after)
        await operations_log.finish_operation(session, id_, "done")
    return True


async def in_force(database: Database, cohort: str) -> OwnTemplates:
    """The own templates by which a cohort's mails are worded now; none where it is not launched."""
    async with database.session() as session:
        return await mail_templates.in_force(session, cohort)


async def with_their_own(database: Database, mail: str) -> dict[str, bool]:
    """Every cohort that runs, and whether it has words of its own for this mail, in any language."""
    async with database.session() as session:
        running = await mail_templates.running(session)
    return {cohort: any(name.partition("/")[2] == mail for name in own.texts) for cohort, own in running.items()}
