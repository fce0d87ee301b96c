"""What coordinators' pages show of a season that was really played: the answers behind tasks, the story, people."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from operations.views.reader import PageReader
from operations.views.task import task_view
from testing.engine import Engine
from testing.waiting_tasks import COORDINATOR, NAME, WAITING, season

CORA = PageReader(COORDINATOR, {NAME: "coordinator"})


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def played(tmp_path_factory: pytest.TempPathFactory, _sqlite_template: Path) -> AsyncIterator[Engine]:
    """The season, played once for this module."""
    folder = tmp_path_factory.mktemp("waiting")
    shutil.copy(_sqlite_template, folder / "season.db")
    async with season(folder, f"sqlite+aiosqlite:///{folder / 'season.db'}") as engine:
        yield engine


@pytest.mark.parametrize("mentorship", WAITING)
async def test_each_task_shows_what_it_is_about(played: Engine, mentorship: str) -> None:
    view = await task_view(played.database, f"{NAME}/{mentorship}/task.{WAITING[mentorship]}#1", CORA, played.now)
    assert view.task.kind == WAITING[mentorship]
