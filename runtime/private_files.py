"""Files that nobody but the account of the installation may read: databases, mails, secrets of the embedded stack.

On a machine with other accounts, whatever is readable for all is read by all; and an SQLite database, its log and the
mails of the inbox hold everything about everybody.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

FOR_OTHERS = 0o077
"""The bits of a mode that concern the group and everybody else."""


@contextmanager
def only_for_us() -> Iterator[None]:
    """For the length of a block, what this process and its children make is readable for their own account only."""
    before = os.umask(FOR_OTHERS)
    try:
        yield
    finally:
        os.umask(before)


def write_private(path: Path, content: str | bytes) -> None:
    """Write a file that tells of people, for our own account; one that is there keeps its mode."""
    with only_for_us():
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def make_private(folder: Path, ours: Iterable[str]) -> None:
    """Make a folder where there is none, and take what we keep in it (patterns `ours`) from everybody else.

    An earlier release made it readable for all. Other files of the folder are left alone, and so is the folder itself
    where it is somebody's home or the current one: what else lies there is not ours.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.resolve() not in (Path.cwd(), Path.home()):
        _take_from_others(folder)
    for pattern in ours:
        for path in folder.glob(pattern):
            _take_from_others(path)


def _take_from_others(path: Path) -> None:
    found = path.lstat()
    mode = stat.S_IMODE(found.st_mode)
    if mode & FOR_OTHERS and found.st_uid == os.geteuid() and not stat.S_ISLNK(found.st_mode):
        path.chmod(mode & ~FOR_OTHERS)
