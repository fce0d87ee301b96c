"""Backups: copies the databases of one machine while everything runs, and records when the last backup was made."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import make_url

from operations import audit
from operations.audit import COMMAND_LINE, AuditEntry, AuditFilters
from operations.errors import Refused
from runtime.private_files import make_private, only_for_us
from runtime.settings import KEPT_SECRET, Settings
from store.database import Database
from store.sqlite import copy_file

ACT = "backup"
TEMPORAL = "temporal.db"
"""The database of the embedded Temporal server, in the data folder."""


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """One file of a backup. `size` is in bytes."""

    name: str
    size: int


async def back_up(settings: Settings, folder: Path) -> list[CopiedFile]:
    """Copy Temporal's database, ours and the secret into a new folder; all may run meanwhile.

    Temporal's comes first, since what is older there repairs itself. What the data folder does not hold is left out.
    Raises Refused for PostgreSQL and for a folder that holds something.
    """
    url = make_url(settings.database)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise Refused("this copies SQLite only, and the database is PostgreSQL", use="backup")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(f"{folder} holds something already", use="new_folder")
    sources = (settings.data / TEMPORAL, Path(url.database), settings.data / KEPT_SECRET)
    return await asyncio.to_thread(_copy, [source for source in sources if source.exists()], folder)


def _copy(sources: list[Path], folder: Path) -> list[CopiedFile]:
    copied: list[CopiedFile] = []
    with only_for_us():
        make_private(folder, ())
        for source in sources:
            target = folder / source.name
            if source.name == KEPT_SECRET:
                shutil.copyfile(source, target)
            else:
                copy_file(source, target)
            copied.append(CopiedFile(source.name, target.stat().st_size))
    return copied


async def record(database: Database, now: datetime) -> None:
    """Keep on record that a backup was made. `now` is program time (UTC)."""
    await audit.record(database, now, AuditEntry(ACT, proof=COMMAND_LINE))


async def last_backup(database: Database) -> datetime | None:
    """When the last backup was made, in program time (UTC); None where none is on record."""
    lines, _ = await audit.look(database, AuditFilters(what=ACT), most=1)
    return lines[0].at if lines else None
