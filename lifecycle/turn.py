"""One turn of a mentorship: the two verbs, ask and tell, and the few other things that phases say.

A turn collects commands; it never carries any out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from lifecycle import keys
from lifecycle.commands import (
    Assess,
    Command,
    EndRequest,
    ItemKind,
    MemberRecord,
    Note,
    OpenRequest,
    Post,
    RequestEnd,
    StepRecord,
)
from lifecycle.delivery.postbox import ANOTHER_FOLLOWS
from lifecycle.local_time import begun_everywhere, local_date
from lifecycle.state import Member, State, Step


def _is_in(member: Member | None) -> bool:
    return member is not None and member.standing != "out"


@dataclass(slots=True)
class Turn:
    """A state, the moment (UTC), and the commands collected so far. `today` is the date in the cohort's zone."""

    state: State
    now: datetime
    commands: list[Command] = field(default_factory=lambda: [])
    by: str = ""
    """Who sent the event that is happening, where it is a coordinator's change or decision."""

    @property
    def today(self) -> date:
        """Today in the cohort's zone."""
        return local_date(self.now, self.state.zone)

    @property
    def begun(self) -> date:
        """The latest date that has begun for the mentorship (lifecycle 2.2)."""
        return max(local_date(self.now, zone) for zone in self.state.zones())

    @property
    def counts_from(self) -> date:
        """The date from which a window that opens now counts: today, or the day on which a running pause ends.

        An open pause has no such day yet; its first day stands in, and what it moves at its end makes it right.
        """
        pause = self.state.pause
        return pause.on + timedelta(days=pause.days) if pause else self.today

    @property
    def at_once(self) -> date:
        """A date for items that follow from an event: it has begun wherever the reader lives."""
        return begun_everywhere(self.now)

    def do(self, command: Command) -> None:
        """Collect a command."""
        self.commands.append(command)

    def note(self, name: str, person: str = "", detail: str = "") -> None:
        """Put a line on the record."""
        self.do(Note(name, person, detail, self.by))

    def count(self, name: str) -> int:
        """The next running number of something that can happen more than once."""
        number = self.state.counts.get(name, 0) + 1
        self.state.counts[name] = number
        return number

    # -- tell --------------------------------------------------------------------------------------------------

    def tell(
        self,
        people: Iterable[str],
        name: str,
        *,
        number: int = 1,
        on: date | None = None,
        kind: ItemKind = "notice",
        about: str | Callable[[str], str] = "",
        request: dict[str, str] | None = None,
        after_end: bool = False,
        which: int | None = None,
    ) -> None:
        """Put an item into each person's postbox; without a date it is due at once.

        `number` makes the key; `which` is the number that the item says, where that is another one. `about` may
        depend on the reader, with whose id it is called.
        """
        state = self.state
        for person in people:
            self.do(
                Post(
                    key=keys.item_key(state.cohort, state.key, name, number, person, kind),
                    person=person,
                    kind=kind,
                    name=name,
                    number=number if which is None else which,
                    date=on or self.at_once,
                    request=request.get(person, "") if request else "",
                    about=about if isinstance(about, str) else about(person),
                    after_end=after_end,
                )
            )

    # -- ask ---------------------------------------------------------------------------------------------------

    def open_request(self, step: Step, person: str, number: int | None = None) -> str:
        """Open a request for one person; its key. Tells nobody of it."""
        state = self.state
        number = step.number if number is None else number
        member = state.member(person)
        assert member is not None
        assert step.closes is not None
        key = state.request(step, person, number)
        request = OpenRequest(
            key, step.name, number, person, member.role, step.opens, step.closes, state.ended(step.closes),
            step.early, keys.step_key(state.cohort, state.key, step.name, step.number),
        )  # fmt: skip
        self.do(request)
        return key

    def ask_one(
        self, step: Step, person: str, *, number: int | None = None, on: date | None = None, again: int = 0
    ) -> None:
        """Open a request for one person and put it into the postbox."""
        number = step.number if number is None else number
        key = self.open_request(step, person, number)
        self.post_request(key, step, person, number, on=on, again=again)

    def post_request(
        self, request: str, step: Step, person: str, number: int, *, on: date | None = None, again: int = 0
    ) -> None:
        """Put an open request into the postbox; `again` counts further mails about the same request."""
        key = keys.item_of(request, "request", again)
        after_end = step.name == "follow_up"
        self.do(Post(key, person, "request", step.name, number, on or self.at_once, request, "", "", after_end))

    def remind(self, step: Step, person: str, nth: int, on: date, number: int | None = None) -> None:
        """Put the nth reminder of an open request into the postbox."""
        request = self.state.request(step, person, number)
        self.do(
            Post(
                key=keys.item_of(request, "reminder", nth),
                person=person,
                kind="reminder",
                name=step.name,
                number=step.number if number is None else number,
                date=on,
                request=request,
                about=ANOTHER_FOLLOWS if nth < len(step.reminders) else "",
            )
        )

    def end_request(self, step: Step, person: str, how: RequestEnd, number: int | None = None) -> None:
        """A person's request of this step takes no more answers that count."""
        self.do(EndRequest(self.state.request(step, person, number), how))

    def assess(self, step: Step) -> None:
        """Have the answers of a settled ask read."""
        state = self.state
        assert step.closes is not None
        step.assessing = True
        # A mentorship that continues from what SQL holds asks once more, about the same moment.
        step.assessed_at = step.assessed_at or min(self.now, state.ended(step.closes))
        requests = [one for one in self._asked(step) if _is_in(state.member(one[1]))]
        before = state.step(step.name, state.checked_in) if step.name == "check_in" else None
        self.do(
            Assess(
                ask=step.name,
                number=step.number,
                step=keys.step_key(state.cohort, state.key, step.name, step.number),
                requests=tuple(requests),
                closed_at=step.assessed_at,
                before=self._asked(before) if before is not None else (),
            )
        )

    def _asked(self, step: Step) -> tuple[tuple[str, str, str], ...]:
        """(request key, person, role) of everyone who was asked."""
        state = self.state
        members = ((person, state.member(person)) for person in step.asked)
        return tuple((state.request(step, person), person, one.role) for person, one in members if one is not None)

    # -- the record --------------------------------------------------------------------------------------------

    def record(self, step: Step) -> None:
        """Record a step as it stands now."""
        record = StepRecord(
            step.name, step.number, step.phase, step.verb, step.state, step.opens, step.closes, step.settled,
            tuple(step.asked), tuple(step.answered),
        )  # fmt: skip
        self.do(record)

    def record_member(self, member: Member) -> None:
        """Record where a member stands now."""
        self.do(MemberRecord(member.person, member.role, member.standing))

    def skip(self, step: Step, why: str) -> None:
        """A step is left out or goes no further, with an event that says why."""
        step.state = "skipped"
        step.settled = None
        step.assessing = False
        self.record(step)
        self.note("step_skipped", detail=f"{step.name}#{step.number} {why}")
