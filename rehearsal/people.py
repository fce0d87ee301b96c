"""What a simulated person does with a request: when, and with which answers. Deterministic by seed.

Used by the rehearsal, by the demo (whose people read real mail and post real forms) and by the tests.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from math import floor
from random import Random
from typing import Literal

from lifecycle.local_time import instant, local_date
from program.forms import Answers, Form, Question, consistent
from rehearsal.behaviour import Behaviour, Profile, Reaction

NOON = time(12, 0)
USUAL = Reaction()
"""Of somebody whose script says nothing of a form."""


@dataclass(slots=True)
class ReceivedRequest:
    """A request as it reached a person: which form, which occasion, the first mail that carried it (UTC)."""

    person: str
    ask: str
    number: int
    role: str
    format: str
    zone: str
    mailed_at: datetime
    early: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """When (UTC) a person answers, and what. `act` is for an agreement that lies on the table."""

    at: datetime
    answers: Answers
    act: Literal["sign", "change"] = "sign"


@dataclass(frozen=True, slots=True)
class _Page:
    """What a form asks of one role, and what a contented person answers there."""

    form: Form
    questions: tuple[Question, ...]
    contented: Answers


class People:
    """All simulated participants of a cohort."""

    def __init__(self, behaviour: Behaviour, people: Iterable[str], seed: int = 1) -> None:
        self.behaviour = behaviour
        self.seed = seed
        self.dealt = self._deal(sorted(people))
        self._pages: dict[tuple[str, str, str, bool], _Page] = {}

    def _deal(self, people: list[str]) -> dict[str, str]:
        """Deal profiles by share to those who are not scripted: exact shares, order by seed."""
        free = [person for person in people if person not in self.behaviour.people]
        if not self.behaviour.mix or not free:
            return {}
        Random(f"deal/{self.seed}").shuffle(free)
        total = sum(self.behaviour.mix.values())
        exact = {name: share / total * len(free) for name, share in self.behaviour.mix.items()}
        # Whole people first; who is left over goes to the largest remainders.
        count = {name: floor(number + 1e-9) for name, number in exact.items()}
        wanting = sorted(exact, key=lambda name: count[name] - exact[name])
        for name in wanting[: len(free) - sum(count.values())]:
            count[name] += 1
        names = [name for name, number in count.items() for _ in range(number)]
        dealt = dict(zip(free, names, strict=True))
        return dealt

    def reply(self, asked: ReceivedRequest, form: Form) -> Reply | None:
        """What this person does with this request; None is silence.

        A window may move meanwhile, so whether it is over is seen when the time has come.
        """
        name = self.dealt.get(asked.person)
        if name is None:
            return self._scripted(asked, form)
        return self._dealt(asked, form, self.behaviour.profile(name))

    def _page(self, asked: ReceivedRequest, form: Form) -> _Page:
        """The page that this person gets. Thousands get the same one, so it is made up once."""
        key = form.form, asked.role, asked.format, asked.early
        page = self._pages.get(key)
        if page is None or page.form is not form:
            questions = form.questions_for(asked.role, asked.format, asked.early)
            page = _Page(form, questions, form.contented(asked.role, asked.format, asked.early))
            self._pages[key] = page
        return page

    def _scripted(self, asked: ReceivedRequest, form: Form) -> Reply | None:
        script = self.behaviour.people.get(asked.person, {})
        default = script.get("default", USUAL)
        reaction = script.get(f"{asked.ask}#{asked.number}") or script.get(asked.ask) or default
        if reaction.never:
            return None
        after = reaction.after if reaction.after is not None else default.after if default.after is not None else 1
        page = self._page(asked, form)
        # Only what this person's page asks; a script may speak of questions that the partner's page has.
        on_page = {question.id for question in page.questions} if reaction.answers else ()
        scripted = {question: answer for question, answer in reaction.answers.items() if question in on_page}
        answers = form.answered(scripted, asked.role, asked.format, asked.early) if scripted else dict(page.contented)
        return Reply(_at(asked, after, reaction.at or default.at or NOON), answers, reaction.act or "sign")

    def _dealt(self, asked: ReceivedRequest, form: Form, profile: Profile) -> Reply | None:
        chance = Random(f"{self.seed}/{asked.person}/{asked.ask}#{asked.number}")
        faded = profile.fades * (asked.number - 1 + STAGE.get(asked.ask, 0))
        if chance.random() >= max(profile.answers - faded, 0.0):
            return None
        after = chance.randint(*profile.after)
        earliest, latest = (moment.hour * 60 + moment.minute for moment in profile.at)
        minute = chance.randint(min(earliest, latest), max(earliest, latest))
        page = self._page(asked, form)
        answers = dict(page.contented)
        low = chance.random() < profile.low
        for question in page.questions:
            if question.type == "scale" and low:
                score = chance.choice((1, 2, 2, 3))
                if question.appears(answers):
                    answers[question.id] = score
        if "accept" in answers and chance.random() < profile.declines:
            answers["accept"] = False
        if "r_decide" in answers and chance.random() < profile.leaves:
            answers["r_decide"] = "new_partner"
        if "p_help" in answers and chance.random() < profile.help:
            answers["p_help"] = "yes"
        answers = consistent(page.questions, answers)
        return Reply(_at(asked, after, time(minute // 60, minute % 60)), answers)


STAGE = {"fit_check": 1, "check_in": 1, "midpoint": 3, "closure": 5, "follow_up": 6}
"""How far into a mentorship a form lies, for those who fade."""


def _at(asked: ReceivedRequest, after: int, wall: time) -> datetime:
    on = local_date(asked.mailed_at, asked.zone) + timedelta(days=after)
    return max(instant(on, wall, asked.zone), asked.mailed_at + timedelta(minutes=1))
