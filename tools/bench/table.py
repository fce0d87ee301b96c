"""What is measured, in one table: the measurement, the floor of the same run, their ratio, and the aim."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Line:
    """One measurement. `ratio` is the measurement to the floor; without a floor, the measurement has a bound."""

    what: str
    measured: float
    unit: str
    floor: float | None = None
    floor_is: str = ""
    aim: float | None = None
    """Of the ratio, or of the measurement where there is no floor."""
    better: Literal["more", "less"] = "more"
    cpu: Mapping[str, float] = field(default_factory=dict[str, float])
    """CPU milliseconds (user and system) of each process for one of what is measured."""
    floor_cpu: Mapping[str, float] = field(default_factory=dict[str, float])
    """The same of the floor."""

    @property
    def ratio(self) -> float | None:
        """The measurement to the floor."""
        return self.measured / self.floor if self.floor else None

    @property
    def verdict(self) -> str:
        """Whether the aim was met."""
        value = self.ratio if self.floor else self.measured
        if self.aim is None or value is None:
            return ""
        return "met" if (value >= self.aim if self.better == "more" else value <= self.aim) else "MISSED"


HEAD = ("measurement", "measured", "floor", "ratio", "aim", "", "CPU ms of one (of the floor)")


def table(lines: Iterable[Line]) -> str:
    """The lines under each other, in columns; what the floors are stands below."""
    lines = list(lines)
    rows = [HEAD, *(_row(line) for line in lines)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(HEAD))]
    text = [_aligned(row, widths) for row in rows]
    text.insert(1, "-" * max(map(len, text)))
    floors = {line.what: line.floor_is for line in lines if line.floor_is}
    return "\n".join([*text, "", *(f"floor of {what}: {floor}" for what, floor in floors.items())])


def _row(line: Line) -> tuple[str, ...]:
    sign = "≥" if line.better == "more" else "≤"
    return (
        line.what,
        f"{_number(line.measured)} {line.unit}",
        f"{_number(line.floor)} {line.unit}" if line.floor else "",
        f"{line.ratio:.2f}" if line.ratio is not None else "",
        f"{sign} {_number(line.aim)}" if line.aim is not None else "",
        line.verdict,
        _cpu(line),
    )


def _cpu(line: Line) -> str:
    """Such as `sender 2.1 (1.9), server 13 (12), all 15 (14)`."""
    used = {name: [line.cpu.get(name), line.floor_cpu.get(name)] for name in (*line.cpu, *line.floor_cpu)}
    if len(used) > 1:
        used["all"] = [sum(line.cpu.values()) or None, sum(line.floor_cpu.values()) or None]
    return ", ".join(
        f"{name} {_number(ours) if ours is not None else '–'}" + (f" ({_number(floor)})" if floor is not None else "")
        for name, (ours, floor) in used.items()
    )


def _aligned(row: tuple[str, ...], widths: list[int]) -> str:
    first, *rest = (
        cell.ljust(width) if n in (0, len(row) - 1) else cell.rjust(width)
        for n, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join([first, *rest]).rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.1f}" if abs(value) >= 10 else f"{value:,.2f}"
