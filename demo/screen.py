"""Shows a season in the terminal while it runs: the status of each mentorship, and what happens. Without a terminal
it prints plain lines.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from demo.check import Check
from demo.season import DemoEvent, DemoSeason
from operations.mentorships.labels import phrase
from store.reports.status import StatusLine

COLOURS = {
    "call": "blue",
    "applied": "green",
    "wish": "green",
    "pairs": "magenta",
    "refused": "red",
    "mail": "cyan",
    "answer": "green",
    "task": "yellow",
    "decided": "yellow",
    "phase": "blue",
    "over": "magenta",
    "trouble": "red",
}
HEALTH = {"good": "green", "quiet": "yellow", "attention": "yellow", "trouble": "red", "over": "dim"}
LATEST = 30
"""Number of latest events that are kept, to fill the rest of the screen."""
WIDE = 140
"""Width in columns without a terminal."""


class Screen:
    """One terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        if not self.console.is_terminal:
            self.console.width = WIDE
        self.latest: deque[DemoEvent] = deque(maxlen=LATEST)
        self.counts: Counter[str] = Counter()
        self.season: DemoSeason | None = None
        self._live = False

    def happened(self, happening: DemoEvent) -> None:
        """Show a new event."""
        self.counts[happening.what] += 1
        self.latest.append(happening)
        if not self._live:
            self.console.print(self._line(happening), soft_wrap=True)

    @contextmanager
    def showing(self, season: DemoSeason) -> Iterator[None]:
        """Keep the terminal up to date while the block runs."""
        self.season = season
        if not self.console.is_terminal:
            self.console.print(self._addresses(), soft_wrap=True)
            yield
            return
        self._live = True
        with Live(get_renderable=self._picture, console=self.console, refresh_per_second=4):
            yield
        self._live = False

    def outcome(self, season: DemoSeason, checks: list[Check]) -> None:
        """Print the ending of each mentorship, and which promises were kept."""
        table = Table(box=None, padding=(0, 2, 0, 0))
        for heading in ("", "Came to", "On", "Who"):
            table.add_column(heading, no_wrap=heading != "Who")
        for line in season.lines:
            ending = f"{phrase(line.ending)}{f' ({phrase(line.reason)})' if line.reason else ''}" or "still runs"
            on = f"{line.ended_on:%d %b %Y}" if line.ended_on else ""
            table.add_row(line.key, ending, on, escape(_who(line)))
        self.console.print("\nWhat came of them")
        self.console.print(table)
        self.console.print()
        for check in checks:
            mark = "[green]kept  [/]" if check.kept else "[yellow]late  [/]" if check.speed else "[bold red]BROKEN[/]"
            mark = "[yellow]waits [/]" if check.waits else mark
            self.console.print(f"{mark} {check.promise}: {escape(check.counted)}", soft_wrap=True)

    def say(self, text: str) -> None:
        """Print a line of text."""
        self.console.print(text, soft_wrap=True)

    def _picture(self) -> RenderableType:
        season = self.season
        assert season is not None
        table = Table(box=None, padding=(0, 2, 0, 0), expand=False)
        for heading, width in (("", 6), ("Phase", 17), ("Health", 14), ("Next", 20), ("Who", None)):
            table.add_column(heading, width=width, no_wrap=True, overflow="ellipsis")
        for line in season.lines:
            table.add_row(line.key, _phase(line), _health(line), _next(line), escape(_who(line)))
        rows: list[RenderableType] = [self._headline(season), Text(""), table, Text("")]
        room = max(self.console.height - len(season.lines) - 10, 3)
        rows += [Text.from_markup(self._line(event), overflow="ellipsis") for event in list(self.latest)[-room:]]
        rows += [Text(""), self._addresses()]
        for row in rows:
            if isinstance(row, Text):
                row.no_wrap = True
        return Group(*rows)

    def _headline(self, season: DemoSeason) -> Text:
        week = (season.today - season.loaded.cohort.start).days // 7 + 1
        when = f"week {week}" if week > 0 else "before the start"
        counts = self.counts
        return Text.from_markup(
            f"[bold]{season.today:%a %d %b %Y}[/], {when}   "
            f"{counts['mail']} mails, {counts['answer']} answers, {counts['task']} tasks ({season.tasks_open} open)"
        )

    def _line(self, happening: DemoEvent) -> str:
        colour = COLOURS.get(happening.what, "white")
        where = f"{happening.mentorship} " if happening.mentorship else ""
        return (
            f"[dim]{happening.at:%a %d %b %H:%M}[/]  [{colour}]{happening.what:<8}[/] {where}{escape(happening.text)}"
        )

    def _addresses(self) -> Text:
        assert self.season is not None
        addresses = self.season.stack.addresses
        return Text(
            f"Coordinators {addresses.coordinators}   Inbox {addresses.inbox}   Temporal UI {addresses.temporal_ui}\n"
            f"{f'The open call {self.season.call.url}   ' if self.season.call else ''}"
            f"Take over the coordinator: {self.season.sign_in_url}",
            style="dim",
        )


def _who(line: StatusLine) -> str:
    return ", ".join(person.name for person in line.people)


def _phase(line: StatusLine) -> str:
    return f"[magenta]{phrase(line.ending)}[/]" if line.state == "over" else phrase(line.phase)


def _health(line: StatusLine) -> str:
    return f"[{HEALTH.get(line.health, 'white')}]{line.health}{', on hold' if line.held else ''}[/]"


def _next(line: StatusLine) -> str:
    return f"{phrase(line.next_step)} {line.next_on:%d %b}" if line.next_step and line.next_on else ""
