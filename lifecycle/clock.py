"""Program time: `epoch + (real − epoch) × speed`. Speed is 1 except where a season is played fast.

This module reads no clock; it translates instants. The real clock is read once, at the edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Clock:
    """Translates between real and program instants (both UTC)."""

    epoch: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    speed: float = 1.0

    def program(self, real: datetime) -> datetime:
        """The program instant at this real instant."""
        if self.speed == 1.0:
            return real
        return self.epoch + (real - self.epoch) * self.speed

    def real(self, program: datetime) -> datetime:
        """The real instant at this program instant."""
        if self.speed == 1.0:
            return program
        return self.epoch + (program - self.epoch) / self.speed

    def real_span(self, span: timedelta) -> timedelta:
        """How long a span of program time takes in reality."""
        return span / self.speed
