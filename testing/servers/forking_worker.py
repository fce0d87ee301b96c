"""Workers to be killed: a process that has loaded everything and forks a worker for each line it reads, so that a new
one is there at once. It says each one's process id, and ends them all when nobody holds its standard input any more.
What stands in the line as NAME=VALUE is told to that worker alone.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress

import worker


def main() -> None:
    """One line in, one worker more."""
    children: list[int] = []
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # killed children leave no zombies
    print("ready", flush=True)
    while line := sys.stdin.readline():
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            told = (word.partition("=") for word in line.split())
            os.environ.update((name, value) for name, is_told, value in told if is_told)
            asyncio.run(worker.main())
            os._exit(0)
        children.append(child)
        print(child, flush=True)
    for child in children:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    main()
