"""A database that is restored from a backup, older than what Temporal knows: nobody is mailed twice, and the season
goes on."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import time, timedelta
from email import message_from_bytes
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.engine import make_url

from lifecycle.local_time import instant
from operations.health.restore import Disagreement, reconcile
from store.database import Database
from store.tables import ItemRow, RequestRow
from testing.cohorts.all_cases import launch_moment, load
from testing.cohorts.cases import SILENT, START, Case
from testing.environments.engine import Engine, run_engine, time_skipping

CASES = (
    Case("pair", "clock", mentee={"check_in#2": SILENT}),
    Case("early", "clock", events=({"on": (START + timedelta(days=20)).isoformat(), "end": "goals_reached"},)),
)
CHECK_IN = START + timedelta(days=14)


def copied(url: str, to: str) -> None:
    """Makes one SQLite database like another, while that is in use."""
    with closing(sqlite3.connect(_path(url))) as source, closing(sqlite3.connect(_path(to))) as target:
        source.backup(target)


def _path(url: str) -> str:
    return str(make_url(url).database)


async def found(engine: Engine, *, fix: bool) -> list[Disagreement]:
    """What disagrees after the database was restored."""
    asked = reconcile(engine.database, engine.client, engine.settings, engine.now, "database", fix=fix)
    return [one async for one in asked]


async def test_a_database_that_is_older_than_temporal(new_sqlite: Callable[[], str], tmp_path: Path) -> None:
    url, backup = new_sqlite(), f"sqlite:///{tmp_path / 'backup.db'}"
    loaded, behaviour = load(tmp_path, CASES, "restored")
    async with time_skipping() as env, run_engine(env, url, loaded, behaviour) as engine:
        await engine.move_to(launch_moment(loaded))
        await engine.launch()
        # The night before a check-in: what is mailed in the morning waits already.
        await engine.play(instant(CHECK_IN, time(2, 0), loaded.cohort.zone))
        copied(url, backup)
        before = len(engine.sink.received)
        await engine.play(instant(CHECK_IN + timedelta(days=6), time(20, 0), loaded.cohort.zone))
        lost = len(engine.sink.received)
        assert lost > before
        # Nothing is under way at this moment: a worker that rests is as good as none.
        copied(backup, url)
        shown = await found(engine, fix=False)
        assert await found(engine, fix=False) == shown, "a dry run changes nothing"
        assert [(one.kind, one.what) for one in shown] == [
            ("mail", "postbox"), ("ahead", "restored/early"), ("ahead", "restored/pair"),
        ]  # fmt: skip
        assert await found(engine, fix=True) == shown
        assert await found(engine, fix=False) == [], "nothing is left to fix"
        await engine.play()
        ledger = await engine.ledger()
    assert len(engine.sink.received) > lost, "the season goes on"
    mails = Counter(str(message_from_bytes(mail.raw)["Message-ID"]) for mail in engine.sink.received)
    assert max(mails.values()) == 1, "nobody is mailed twice"
    assert {line["mentorship"]: line["ending"] for line in ledger["endings"]} == {
        "pair": "completed_silent", "early": "ended_early",
    }  # fmt: skip
    assert await _leads_nowhere(url) == []


async def _leads_nowhere(url: str) -> list[str]:
    """Keys of requests that were mailed and that no link leads to."""
    async with Database.open(url) as database, database.session() as session:
        known = select(RequestRow.key)
        return list(
            await session.scalars(select(ItemRow.key).where(ItemRow.request != "", ItemRow.request.not_in(known)))
        )
