"""The answers of one mentorship as one reader of the coordinators' web sees them, by round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from operations.forms.answers import NEUTRAL, ShownForm, is_concern, shown
from operations.forms.by_round import AskedPerson, FormRounds, Occasion, by_round
from operations.mentorships.concerns import ConcernReaders
from store.forms.answers import Asked, GivenAnswer, answers_of
from store.reports.mentorship_page import MentorshipFacts

IN_THE_AGREEMENT = "agreement"
"""What is asked here is shown as a document, not by round."""


@dataclass(frozen=True, slots=True)
class MentorshipAnswers:
    """All rounds of all forms, and the answers as they were given: for rules, never for a page."""

    rounds: tuple[FormRounds, ...]
    given: tuple[GivenAnswer, ...]

    def of(self, ask: str) -> FormRounds | None:
        """The rounds of this form."""
        return next((rounds for rounds in self.rounds if rounds.ask == ask), None)


async def answers_for(
    session: AsyncSession, facts: MentorshipFacts, asked: Sequence[Asked], readers: ConcernReaders, reader: str
) -> MentorshipAnswers:
    """What was `asked` and answered, as a coordinator or deputy (`reader`, an id) sees it.

    Of a concern they see that there is one if they were told of it, and otherwise nothing; what it says stands on the
    page of its task alone.
    """
    given = await answers_of(session, facts.cohort, mentorship=facts.key)
    concerns = "withheld" if readers.may_read(facts.key, reader) else "unseen"
    forms: list[ShownForm] = [
        shown(answer, "coordinator", NEUTRAL | {"program": answer.program}, facts.zone, concerns)
        for answer in given
        if answer.ask != IN_THE_AGREEMENT
    ]
    differ_by = facts.program.program.rules.differ_by
    return MentorshipAnswers(by_round(occasions(asked), forms, differ_by), tuple(given))


def occasions(asked: Sequence[Asked]) -> list[Occasion]:
    """Who was asked together, in the order of asking."""
    found: dict[tuple[str, int], list[Asked]] = {}
    for one in asked:
        if one.ask != IN_THE_AGREEMENT:
            found.setdefault((one.ask, one.number), []).append(one)
    return [
        Occasion(
            ask,
            number,
            min(one.opens for one in people),
            tuple(AskedPerson(one.person, one.name, one.role, one.state, one.closes) for one in people),
        )
        for (ask, number), people in found.items()
    ]


def concerns_among(given: Sequence[GivenAnswer]) -> list[GivenAnswer]:
    """The answers that say that they are about safety or conduct, the oldest first."""
    return sorted(filter(is_concern, given), key=lambda answer: answer.at)
