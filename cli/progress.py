"""Shows the progress of a worker that carries out what a command has recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from cli.console import err

PATIENCE = 60.0
"""Real seconds without progress after which no worker seems to run."""
LOOK_EVERY = 0.2


async def until_none_is_left(title: str, total: int, left: Callable[[], Awaitable[int]], quiet: bool) -> int:
    """Wait until none of `total` is left; how many are, where nothing has moved for a while."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    loop = asyncio.get_running_loop()
    known, moved = total, loop.time()
    bar = Progress(TextColumn(title), BarColumn(), MofNCompleteColumn(), console=err(), disable=quiet)
    with bar:
        task = bar.add_task("", total=total)
        while True:
            now_left = min(await left(), total)
            if now_left != known:
                known, moved = now_left, loop.time()
            bar.update(task, completed=total - known)
            if not known or loop.time() - moved > PATIENCE:
                return known
            await asyncio.sleep(LOOK_EVERY)
