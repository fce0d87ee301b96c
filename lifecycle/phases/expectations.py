"""Expectations: the introduction, the agreement with its turns and signatures, the fit check (lifecycle 4)."""

from __future__ import annotations

from datetime import date, timedelta

from lifecycle import plan, tasks
from lifecycle.commands import RequestEnd
from lifecycle.delivery import notices
from lifecycle.findings import Findings, Signals
from lifecycle.state import State, Step
from lifecycle.turn import Turn


def steps(state: State) -> list[Step]:
    """Introduction, agreement and fit check, as far as the program has them."""
    phase = state.program.phases.expectations
    found = [plan.tell(state, "introduction", "expectations", 1, phase.introduction)]
    if phase.agreement is not None:
        found.append(plan.ask(state, "agreement", "expectations", 1, phase.agreement))
    if phase.fit_check is not None:
        found.append(plan.ask(state, "fit_check", "expectations", 1, phase.fit_check))
    return found


ARE_YOU_THERE_OPEN = 3653
"""Days until the window of `are_you_there` ends: its links work until the mentorship is closed, and none lasts so
long."""

MOST_CHANGES = 100
"""Changes to an agreement since it was opened, after which nobody is asked any further: a coordinator decides."""


# -- the agreement: one document, turns, signatures ------------------------------------------------------------


def drafters(state: State) -> list[str]:
    """Who writes the first version: the mentee; in a group the mentor; among peers either."""
    role = {"group": "mentor", "peer": "peer"}.get(state.format, "mentee")
    return [member.person for member in state.members if member.role == role and member.standing == "accepted"]


def open_agreement(turn: Turn, step: Step) -> None:
    """The agreement is laid before those who draft it."""
    for person in drafters(turn.state):
        _give_turn(turn, step, person, turn.state.agreement.version + 1, on=step.opens)


def _given_up(turn: Turn, step: Step) -> None:
    """The agreement has gone back and forth too often: nobody has the turn any more, and a coordinator decides."""
    turn.note("agreement_given_up", detail=f"{turn.state.agreement.changes} changes")
    step.state = "settled"
    step.settled = turn.today
    turn.record(step)
    closed(turn, step)


def reopen(turn: Turn, changers: list[str] | None = None) -> None:
    """The agreement opens for a new version: after a changed goal, at the midpoint, or for somebody new.

    Those whose goal changed get a receipt with the request, their partners a notice; otherwise the drafters
    of the format are asked as at the start. Nothing happens while it is open already, or has yet to open.
    """
    state = turn.state
    window = state.program.phases.expectations.agreement
    if window is None:
        return turn.note("agreement_not_reopened", detail="the program has no agreement")
    if current(state) is not None or _ahead(state):
        return turn.note("agreement_not_reopened", detail="it is open already, or has yet to open")
    if not state.complete():
        return turn.note("agreement_not_reopened", detail="a partner is missing")
    number = state.last_number("agreement") + 1
    step = plan.ask(state, "agreement", "expectations", number, window, turn.counts_from)
    step.opens = turn.today
    step.state = "open"
    step.asked = state.active()
    state.steps.append(step)
    _fresh(state)
    turn.record(step)
    turn.note("agreement_reopened")
    if changers is None:
        for person in drafters(state):
            _give_turn(turn, step, person, state.agreement.version + 1)
        return None
    number = turn.count("agreement_reopened")
    requests: dict[str, str] = {}
    for person in changers:
        version = state.agreement.version + 1
        state.agreement.turns[person] = version
        requests[person] = turn.open_request(step, person, version)
    turn.tell(changers, "agreement_reopened", number=number, kind="receipt", request=requests)
    others = [person for person in state.active() if person not in changers]
    return turn.tell(others, "agreement_reopened", number=number, about=str(step.number))


def welcomed(turn: Turn, person: str) -> None:
    """A newcomer to a running mentorship accepted: introduction for everyone, and a new agreement."""
    state = turn.state
    introduction = state.step("introduction", 1)
    if introduction is None or introduction.state != "planned":
        number = turn.count("introduction") + 1
        turn.tell(
            state.active(),
            "introduction",
            number=number,
            about=lambda reader: notices.partners_of(state, reader) if reader == person else person,
        )
    step = current(state)
    if step is not None:
        drop_turns(turn, step, "superseded")
        turn.skip(step, "somebody new has joined")
    reopen(turn)


def current(state: State) -> Step | None:
    """The agreement step that is open now."""
    return next((step for step in state.open_asks() if step.name == "agreement"), None)


def _ahead(state: State) -> bool:
    return any(step.name == "agreement" and step.state == "planned" for step in state.steps)


def acted(turn: Turn, person: str, signals: Signals) -> None:
    """Somebody drafted, changed or signed. A change clears the other signatures and goes back."""
    state = turn.state
    agreement = state.agreement
    step = current(state)
    version = signals.version
    if step is None or person not in state.active() or not signals.act:
        turn.note("late_answer", person, "agreement")
        if signals.act != "sign":
            # It makes no version. One that was written while the window was closing has taken its number.
            agreement.version = max(agreement.version, version)
        return None
    on_the_table = agreement.version > agreement.base
    if signals.act == "sign":
        if not on_the_table or version != agreement.version or person in agreement.signed:
            turn.note("stale_signature", person, f"version {version}")
            return None
        agreement.signed.append(person)
        turn.note("agreement_signed", person, f"version {version}")
    else:
        if version <= agreement.version:
            turn.note("stale_version", person, f"version {version}")
            return None
        agreement.version = version
        agreement.handed_on = False
        agreement.signed = [person]
        turn.note("agreement_changed" if on_the_table else "agreement_drafted", person, f"version {version}")
        if on_the_table:
            agreement.changes += 1
            if agreement.changes >= state.program.phases.expectations.changes_before_task:
                tasks.open_task(
                    turn,
                    "expectations_differ",
                    f"The agreement has been changed {agreement.changes} times and nobody agrees yet; "
                    f"versions {version - 1} and {version} stand side by side on its page.",
                    state.active(),
                )
    agreement.turns.pop(person, None)
    if agreement.changes >= MOST_CHANGES:
        return _given_up(turn, step)
    return hand_on(turn, step, person)


def hand_on(turn: Turn, step: Step, actor: str = "") -> None:
    """A person who has not signed the version on the table has the turn; when all have, it is agreed.

    `actor` is the person who has just drafted, changed or signed it.
    """
    state = turn.state
    agreement = state.agreement
    waiting = [person for person in state.active() if person not in agreement.signed]
    step.answered = [person for person in step.asked if person in agreement.signed]
    if not waiting:
        _conclude(turn, step, actor)
        return
    for person in waiting:
        held = agreement.turns.get(person)
        if held is not None and held == agreement.version:
            # Peers who may both draft: the request is open already, but what it asks for is new.
            if not agreement.handed_on:
                turn.post_request(state.request(step, person, held), step, person, held, again=2)
            continue
        if held is not None:
            turn.end_request(step, person, "superseded", held)
        _give_turn(turn, step, person, agreement.version)
    agreement.handed_on = True


def remind(turn: Turn, step: Step, nth: int, on: date) -> None:
    """Reminders go to those whose turn it is."""
    for person, number in turn.state.agreement.turns.items():
        turn.remind(step, person, nth, on, number)


def closed(turn: Turn, step: Step) -> None:
    """Not agreed by the close. Nothing later waits for it: the program's default rhythm stands in."""
    drop_turns(turn, step)
    state = turn.state
    reason = (
        f"No new agreement was signed in time; version {state.agreement.concluded} stays in force."
        if state.agreement.concluded
        else "No agreement was signed in time; the program's usual rhythm of meetings stands in."
    )
    tasks.open_task(turn, "no_agreement", reason, state.active())


def drop_turns(turn: Turn, step: Step, how: RequestEnd = "closed") -> None:
    """Nobody has the turn any more."""
    for person, number in turn.state.agreement.turns.items():
        turn.end_request(step, person, how, number)
    turn.state.agreement.turns = {}


def withdrawn(turn: Turn, step: Step, person: str) -> None:
    """Somebody is out: their turn is withdrawn, and the others may now be agreed."""
    state = turn.state
    number = state.agreement.turns.pop(person, None)
    if number is not None:
        turn.end_request(step, person, "withdrawn", number)
    if state.agreement.version > state.agreement.base:
        hand_on(turn, step)
    elif not state.agreement.turns:
        for drafter in drafters(state):
            _give_turn(turn, step, drafter, state.agreement.version + 1)


def _fresh(state: State) -> None:
    state.agreement.base = state.agreement.version
    state.agreement.changes = 0
    state.agreement.signed = []


def _give_turn(turn: Turn, step: Step, person: str, version: int, on: date | None = None) -> None:
    turn.state.agreement.turns[person] = version
    turn.ask_one(step, person, number=version, on=on)


def _conclude(turn: Turn, step: Step, actor: str) -> None:
    state = turn.state
    version = state.agreement.version
    state.agreement.concluded = version
    step.state = "settled"
    step.settled = turn.today
    turn.record(step)
    turn.note("agreement_concluded", detail=f"version {version}")
    for kind in ("expectations_differ", "no_agreement"):
        tasks.close_task(turn, kind, "agreed")
    for person in state.active():
        turn.tell([person], "agreement_concluded", number=version, kind="receipt" if person == actor else "notice")


# -- the fit check ---------------------------------------------------------------------------------------------


def fit_doubted(turn: Turn, person: str) -> None:
    """An answer says "someone else", or that the fit is low: a no-fault swap may be offered, at once."""
    tasks.open_task(
        turn, "fit", "Somebody says the pairing doesn't look right; you can offer a no-fault swap.", [person]
    )


def fit_settled(turn: Turn, findings: Findings) -> None:
    """When somebody asked for a nudge, or nobody has been in touch: everyone is told how to get going."""
    if findings.nudge or findings.no_contact:
        get_going(turn)


def get_going(turn: Turn) -> None:
    """Three concrete ways forward, to everyone."""
    turn.tell(turn.state.active(), "get_going", number=turn.count("get_going"))


def are_you_there(turn: Turn, name: str = "are_you_there", on: date | None = None) -> None:
    """Three links, each to a page with one button: going fine, we're stuck, we've stopped. At once, or `on` a day."""
    state = turn.state
    until = max(turn.today, turn.counts_from) + timedelta(days=ARE_YOU_THERE_OPEN)
    step = Step("are_you_there", state.phase, turn.count("request.are_you_there"), "ask", turn.today, closes=until)
    requests = {person: turn.open_request(step, person) for person in state.active()}
    turn.tell(state.active(), name, number=turn.count(name), on=on, request=requests)
