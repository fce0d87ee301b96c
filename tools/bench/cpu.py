"""The CPU, of the system's too, that each process of a measurement uses, as it falls on one of what is measured; and
the memory that a process needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil


def cpu(pid: int) -> float:
    """CPU seconds that a process and its children have used so far."""
    whole = psutil.Process(pid)
    return sum(map(_used, (whole, *whole.children(recursive=True))))


def most_memory() -> float:
    """The most memory (MB) that this process ever had. Not `ru_maxrss`, which a process inherits from the one that
    starts it."""
    [peak] = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1000


@dataclass(slots=True)
class Meter:
    """CPU seconds from its making on, by the name of the process. `here` names this process, without its children."""

    pids: Mapping[str, int]
    here: str = ""
    before: dict[str, float] = field(init=False)

    def __post_init__(self) -> None:
        self.before = self._so_far()

    def spent(self) -> dict[str, float]:
        """CPU seconds of each process."""
        return {name: used - self.before[name] for name, used in self._so_far().items()}

    def each(self, many: float) -> dict[str, float]:
        """CPU milliseconds of each process for one of so many."""
        return {name: seconds / many * 1000 for name, seconds in self.spent().items()}

    def _so_far(self) -> dict[str, float]:
        used = {name: cpu(pid) for name, pid in self.pids.items()}
        return {self.here: _used(psutil.Process()), **used} if self.here else used


def mean(*measured: Mapping[str, float]) -> dict[str, float]:
    """The mean of several measurements of the same processes."""
    return {name: sum(each[name] for each in measured) / len(measured) for name in measured[0]}


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
