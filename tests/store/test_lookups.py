"""Several lookups in one statement find what each finds alone, on either database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import event, select

from store.columns import bare
from store.database import Database
from store.lookups import Lookup, look_up, look_up_all
from store.tables import AnswerRow, MembershipRow, MentorshipRow, MessageRow, ParticipantRow, RequestRow, TaskRow
from testing.environments.web_env import COHORT, NOW, filled_in, launch, send, web_env_of

BODY = {"text": 'Ünïcode "quoted" \\ back\nslash', "number": 3, "yes": True, "none": None, "list": [1, {"a": "b"}]}


def _plain(rows: Any) -> list[dict[str, Any]]:
    return [dict(row._mapping) if hasattr(row, "_mapping") else row._asdict() for row in rows]


async def test_rows_are_the_same_together_and_alone(database: Database) -> None:
    await launch(database)
    env = web_env_of(database)
    path = await env.ask("check_in", "ada")
    async with env.client() as participant:
        await send(participant, path, await filled_in(env, path, p_word="Ünïcode"))
    await env.change(AnswerRow, {"person": "ada"}, body=BODY, at=datetime(2027, 4, 5, 9, 0, 0, 120_000, tzinfo=UTC))
    queries = [
        select(table).order_by(*table.primary_key.columns)
        for table in map(bare, (AnswerRow, RequestRow, MentorshipRow, ParticipantRow, TaskRow, MessageRow))
    ]
    queries.append(select(MembershipRow.person).where(MembershipRow.cohort == COHORT).order_by(MembershipRow.person))
    lookups = [Lookup(query, _plain) for query in queries]
    statements: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    async with database.session() as session:
        alone = [await look_up(session, lookup) for lookup in lookups]
        event.listen(database.engine.sync_engine, "before_cursor_execute", count)
        together = await look_up_all(session, *lookups)
    assert list(together) == alone
    assert len([text for text in statements if text.startswith("SELECT")]) == 1
    answer = alone[0][0]
    assert (answer["body"], answer["at"].tzinfo) == (BODY, UTC)
    assert (alone[4], alone[5]) == ([], [])
    assert alone[1][0]["opens"] < NOW.date()
