"""The one season that the tests of this room and of the rehearsal share."""

from __future__ import annotations

import pytest

from store.database import migrate
from tests.workflows.played import Played, play

_played: list[Played] = []


@pytest.fixture(scope="session")
async def season(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """All cases, played once a run over Temporal's time-skipping server."""
    if not _played:
        folder = tmp_path_factory.mktemp("season")
        url = f"sqlite+aiosqlite:///{folder / 'season.db'}"
        migrate(url)
        _played.append(await play(folder, url))
    return _played[0]
