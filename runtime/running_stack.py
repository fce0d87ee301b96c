"""Where the embedded stack runs: it writes its ports, addresses and clock into its data folder; the other processes
read them there. So a command reaches the stack of its own data folder, whatever ports that uses, and no other server.

The record holds no secret. A lock says whether its writer still lives, also after it was killed.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path

from runtime.errors import Unreachable

RECORD = "stack.json"
LOCK = "stack.lock"
LOCKED_WITHIN = 2.0
"""Real seconds to wait for the lock: a reader may hold it for a moment."""


class StackRuns(Unreachable):
    """Another embedded stack runs on this data folder; the message names the process."""


class BrokenRecord(Unreachable):
    """The record cannot be read; the message has the remedy."""


@dataclass(frozen=True, slots=True)
class StackRecord:
    """An embedded stack as it runs, or as it last ran. Addresses of pages are URLs, the others `host:port`."""

    pid: int
    started_at: str
    """Real time, UTC, ISO 8601."""
    temporal: str
    namespace: str
    temporal_ui: str
    pages: str
    coordinators: str
    inbox: str
    smtp: str
    task_queue: str
    shards: int
    speed: float
    """Program seconds per real second."""
    epoch: str
    """The moment at which program time and real time agree, ISO 8601."""

    @property
    def smtp_port(self) -> int:
        """Port of the mail server on loopback."""
        return int(self.smtp.rpartition(":")[2])

    @property
    def epoch_at(self) -> datetime:
        """The epoch as an instant."""
        return datetime.fromisoformat(self.epoch)


def read(data: Path) -> StackRecord | None:
    """The record in a data folder; None where no embedded stack has run there. Raises BrokenRecord."""
    path = data / RECORD
    try:
        record = json.loads(path.read_text("utf-8"))
        return StackRecord(**{field.name: record[field.name] for field in fields(StackRecord)})
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, KeyError, TypeError) as broken:
        raise BrokenRecord(
            f"{path} can't be read ({type(broken).__name__}).\n"
            "Start the stack again (`mentorship up`), or remove the file."
        ) from None


def write(data: Path, record: StackRecord) -> None:
    """Put the record into a data folder, in one step, readable for its owner only."""
    fresh = data / f"{RECORD}.{record.pid}"
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(record), file, indent=2)
        file.write("\n")
    fresh.replace(data / RECORD)


def runs(data: Path) -> bool:
    """Whether an embedded stack runs on this data folder now."""
    try:
        descriptor = os.open(data / LOCK, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def lock(data: Path) -> Iterator[None]:
    """Keep a data folder for one embedded stack, for the length of a block. Raises StackRuns. Blocks for a moment."""
    descriptor = os.open(data / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _take(descriptor, data)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, data: Path) -> None:
    until = time.monotonic() + LOCKED_WITHIN
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > until:
                raise StackRuns(_other(data)) from None
            time.sleep(0.05)


def _other(data: Path) -> str:
    record = read(data)
    which = f"process {record.pid}, pages {record.pages}" if record else "it is just starting"
    return (
        f"An embedded stack runs on {data.absolute()} already ({which}).\n"
        "Use that one, end it (Ctrl-C in its terminal), or choose another folder: MENTORSHIP_DATA"
    )
