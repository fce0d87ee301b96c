"""Who said `yes` to a question of the closure, by the last answer of each place. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from store.tables import AnswerRow, RequestRow

YES = "yes"


async def said_yes(
    session: AsyncSession, cohort: str, questions: Sequence[str], until: datetime
) -> dict[str, set[str]]:
    """Question to the ids of those who said yes to it at the closure, before an instant (UTC)."""
    columns = [AnswerRow.body[question].as_string() for question in questions]
    rows = await session.execute(
        select(RequestRow.key, RequestRow.mentorship, RequestRow.person, AnswerRow.at, *columns)
        .join(AnswerRow, AnswerRow.request == RequestRow.key)
        .where(RequestRow.cohort == cohort, RequestRow.ask == "closure", AnswerRow.at < until)
        .order_by(RequestRow.key, AnswerRow.version)
    )
    of_request: dict[str, tuple[tuple[str, str], datetime, Sequence[str | None]]] = {}
    for key, mentorship, person, at, *said in rows:
        # The last version counts, in the order in which the forms were first sent.
        first = of_request[key][1] if key in of_request else at
        of_request[key] = (mentorship, person), first, said
    of_place = {place: said for place, _, said in sorted(of_request.values(), key=lambda each: each[1])}
    return {
        question: {person for (_, person), said in of_place.items() if said[number] == YES}
        for number, question in enumerate(questions)
    }
