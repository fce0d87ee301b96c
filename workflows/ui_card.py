"""What ops read in the Temporal UI without knowing our code: the card of a mentorship, summaries of timers."""

from __future__ import annotations

from collections.abc import Iterable

from activities.messages import Gathered
from lifecycle.batch import next_step, snapshot
from lifecycle.state import State


def card(state: State, declined: Iterable[tuple[str, object]] = ()) -> str:
    """A small card in Markdown: phase, what comes next and when, who is awaited, tasks, trouble; and `declined`, the
    row about a cancellation."""
    now = snapshot(state)
    upcoming = next_step(state)
    rows: list[tuple[str, object]] = [
        ("Phase", now.phase + (f", {state.ending} ({state.reason})" if state.closed else "")),
        ("Dates", f"{now.start} – {now.midpoint} – {now.end}"),
        ("Next step", f"{upcoming.name} {upcoming.number} on {upcoming.opens}" if upcoming else "none"),
        ("Something falls due", f"{now.next_at:%Y-%m-%d %H:%M} UTC" if now.next_at else "only when somebody acts"),
        ("Awaited", ", ".join(now.awaited) or "nobody"),
        ("Open tasks", ", ".join(f"{t.kind} (due {t.due})" for t in state.tasks.values()) or "none"),
    ]
    if now.paused_until:
        rows.append(("Paused", "until further notice" if now.paused_until == "open" else f"until {now.paused_until}"))
    if pause := state.pause_ahead:
        over = f"until {pause.until}" if pause.until else "until further notice"
        rows.append(("Pause ahead", f"from {pause.on} {over}"))
    if now.held:
        rows.append(("Held", "a safety report: nothing goes out until a coordinator releases it"))
    if bounced := state.tasks.get("bounced"):
        rows.append(("Trouble", f"mail to {', '.join(bounced.about) or 'somebody'} is refused for good"))
    return table([*rows, *declined])


def table(rows: Iterable[tuple[str, object]]) -> str:
    """Rows in Markdown as the UI shows them best: it leaves no room between columns, so the names bring their own."""
    return "\n".join(["| | |", "| --- | --- |", *(f"| {name}\N{EM SPACE} | {value} |" for name, value in rows)])


def waits_for(state: State) -> str:
    """What the timer of this state waits for."""
    upcoming = next_step(state)
    asks = ", ".join(f"{step.name} {step.number}" for step in state.open_asks())
    if state.paused:
        return "the end of the pause"
    if asks:
        return f"reminders or the close of {asks}"
    return f"{upcoming.name} {upcoming.number} on {upcoming.opens}" if upcoming else "what falls due next"


def gathering_rows(gathered: Gathered) -> list[tuple[str, object]]:
    """How an open call stands, in counts: no name, and nothing that anybody wrote."""
    stages = {
        "planned": "the call is not open yet",
        "applying": "people apply",
        "closed": "the call is closed",
        "wishing": "people say whom they would like to meet",
        "matching": "coordinators match",
        "published": "the pairs are published",
    }
    rows: list[tuple[str, object]] = [("Open call", stages.get(gathered.stage, gathered.stage))]
    if gathered.next_at is not None:
        rows.append(("Next", f"{gathered.next_name.replace('_', ' ')} on {gathered.next_at:%Y-%m-%d %H:%M} UTC"))
    rows += [(name[:1].upper() + name[1:], count) for name, count in gathered.counts.items()]
    return rows
