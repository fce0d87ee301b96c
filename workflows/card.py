"""What ops read in the Temporal UI without knowing our code: the card of a mentorship, summaries of timers."""

from __future__ import annotations

from lifecycle.batch import next_step, snapshot
from lifecycle.state import State


def card(state: State, trouble: str = "") -> str:
    """A small card in Markdown: phase, what comes next and when, who is awaited, tasks, trouble."""
    now = snapshot(state)
    upcoming = next_step(state)
    rows = [
        ("Phase", now.phase + (f", {state.ending} ({state.reason})" if state.closed else "")),
        ("Dates", f"{now.start} – {now.midpoint} – {now.end}"),
        ("Next step", f"{upcoming.name} {upcoming.number} on {upcoming.opens}" if upcoming else "none"),
        ("Something falls due", f"{now.next_at:%Y-%m-%d %H:%M} UTC" if now.next_at else "only when somebody acts"),
        ("Awaited", ", ".join(now.awaited) or "nobody"),
        ("Open tasks", ", ".join(f"{t.kind} (due {t.due})" for t in state.tasks.values()) or "none"),
    ]
    if now.paused_until:
        rows.append(("Paused", "until further notice" if now.paused_until == "open" else f"until {now.paused_until}"))
    if now.held:
        rows.append(("Held", "a safety report: nothing goes out until a coordinator releases it"))
    if trouble:
        rows.append(("Trouble", trouble))
    return "\n".join(["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows)])


def waits_for(state: State) -> str:
    """What the timer of this state waits for."""
    upcoming = next_step(state)
    asks = ", ".join(f"{step.name} {step.number}" for step in state.open_asks())
    if state.paused:
        return "the end of the pause"
    if asks:
        return f"reminders or the close of {asks}"
    return f"{upcoming.name} {upcoming.number} on {upcoming.opens}" if upcoming else "what falls due next"
