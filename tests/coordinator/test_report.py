"""The report on the coordinators' pages: exact for coordinators, through the gate for readers and in every file."""

from __future__ import annotations

from sqlalchemy import select

from store.tables import AuditRow, CohortReaderRow, ParticipantRow
from testing.environments.coordinator_env import signed_in
from testing.environments.web_env import COHORT, WebEnv


async def test_a_coordinator_sees_exact_numbers_and_takes_away_those_for_passing_on(web_env: WebEnv) -> None:
    async with signed_in(web_env, "coco") as client:
        page = await client.get(f"/c/cohorts/{COHORT}/report")
        assert page.status_code == 200
        assert "Not for passing on" in page.text
        assert "<style" not in page.text
        taken = await client.get(f"/c/cohorts/{COHORT}/report/html")
        assert "Not for passing on" not in taken.text
        assert "attachment" in taken.headers["content-disposition"]
        book = await client.get(f"/c/cohorts/{COHORT}/report/xlsx")
        assert book.content.startswith(b"PK")
        assert (await client.get(f"/c/cohorts/{COHORT}/report/exe")).status_code == 404
    async with web_env.database.session() as session:
        rows = (await session.scalars(select(AuditRow.result).where(AuditRow.what == "report"))).all()
    assert list(rows) == ["download", "download"]


async def test_a_reader_sees_it_through_the_gate(web_env: WebEnv) -> None:
    async with web_env.database.begin() as session:
        session.add(ParticipantRow(id="rita", name="Rita", email="rita@example.org", zone="Europe/Berlin"))
        await session.flush()
        session.add(CohortReaderRow(cohort=COHORT, person="rita"))
    async with signed_in(web_env, "rita") as client:
        page = await client.get(f"/c/cohorts/{COHORT}/report")
    assert page.status_code == 200
    assert "Not for passing on" not in page.text
    assert "The season is still running" in page.text


async def test_the_report_of_another_cohort_is_nobodys(web_env: WebEnv) -> None:
    async with signed_in(web_env, "coco") as client:
        assert (await client.get("/c/cohorts/elsewhere/report")).status_code in (403, 404)
