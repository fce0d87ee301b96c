"""The figures and the list of a cohort, on both databases: each number is the length of its list."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from lifecycle.commands import OpenTask
from store.database import Database
from store.reports import cohort_figures, cohort_page
from store.reports.cohort_page import HEALTH, MAIL, PHASES, REACHED, SORTS, ListFilters
from testing.cohorts.small_cohort import COHORT, GROUP, PAIR, applied, ask, item, launched, turn

BOTH = sorted((PAIR.key, GROUP.key))


async def running(database: Database) -> None:
    """A small season that has begun: one form is open, one mail waits."""
    await launched(database)
    await applied(database, turn(1, open_requests=[ask("ben")], posts=[item("ben")]), turn(1, mentorship=GROUP.key))


async def test_every_number_is_the_length_of_its_list(database: Database) -> None:
    await running(database)
    async with database.session() as session:
        figures = await cohort_figures.figures(session, COHORT)
        lists = {
            **{("phase", name, ""): ListFilters(phase=name, state="running") for name in PHASES},
            **{("health", name, ""): ListFilters(health=name) for name in HEALTH},
            **{("reached", name, ""): ListFilters(reached=name) for name in REACHED},
            ("awaited", "yes", ""): ListFilters(awaited="yes"),
            ("task", "any", ""): ListFilters(task="any"),
            ("ask", "check_in", "no"): ListFilters(ask="check_in", answered="no"),
            ("ask", "check_in", "yes"): ListFilters(ask="check_in", answered="yes"),
            **{("mail", name, ""): ListFilters(mail=name) for name in MAIL},
        }
        for which, filters in lists.items():
            assert figures.of(*which) == len(await cohort_page.keys(session, COHORT, filters)), which
    assert figures.of("reached", "invited") == 2
    assert figures.of("ask", "check_in", "no") == 1
    assert figures.of("mail", "queued") == 1


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (ListFilters(), BOTH),
        (ListFilters(text="CLEO"), [GROUP.key]),
        (ListFilters(text="group"), [GROUP.key]),
        (ListFilters(text="%"), []),
        (ListFilters(person="ada"), [PAIR.key]),
        (ListFilters(task="low_score"), []),
        (ListFilters(program="formal", format="one_to_one"), BOTH),
        (ListFilters(ending="completed"), []),
    ],
)
async def test_filters_find_what_they_say(database: Database, filters: ListFilters, found: list[str]) -> None:
    await running(database)
    async with database.session() as session:
        assert sorted(await cohort_page.keys(session, COHORT, filters)) == found


async def test_a_list_has_its_order_and_its_people(database: Database) -> None:
    await running(database)
    async with database.session() as session:
        for sort in SORTS:
            up = await cohort_page.keys(session, COHORT, ListFilters(sort=sort))
            down = await cohort_page.keys(session, COHORT, ListFilters(sort=sort, down="yes"))
            assert up == down[::-1], sort
        lines = await cohort_page.list_lines(session, COHORT, [GROUP.key, "nobody", PAIR.key])
        [facts] = await cohort_page.cohorts(session, None)
        one = await cohort_page.cohort(session, COHORT)
        assert await cohort_page.cohort(session, "nobody") is None
        assert await cohort_page.cohorts(session, []) == []
    assert [(line.key, [person.id for person in line.people]) for line in lines] == [
        (GROUP.key, ["ben", "cleo", "dan"]),
        (PAIR.key, ["ada", "ben"]),
    ]
    assert sum(facts.mentorships.values()) == 2
    assert one is not None
    assert {person.id: person.role for person in one.staff} == {"casey": "coordinator", "dana": "deputy"}


async def test_a_report_is_unseen_by_whom_it_was_not_told(database: Database) -> None:
    await launched(database)
    key = f"{COHORT}/{PAIR.key}/task.safety#1"
    task = OpenTask(key, "safety", 1, "Somebody reported something.", date(2026, 4, 1), ("noted",))
    told = item("casey", kind="urgent", task=key)
    batch = turn(1, health="trouble", held=True, open_tasks=[task], posts=[told])
    batch = replace(batch, snapshot=replace(batch.snapshot, open_tasks=1))
    await applied(database, batch, turn(1, mentorship=GROUP.key))
    async with database.session() as session:
        assert await cohort_page.unseen_by(session, [COHORT], "casey") == {}
        unseen = (await cohort_page.unseen_by(session, [COHORT], "dana"))[COHORT]
        assert unseen == {PAIR.key}
        for known, count in ((frozenset[str](), 1), (unseen, 0)):
            figures = await cohort_figures.figures(session, COHORT, known)
            assert (figures.of("health", "trouble"), figures.of("task", "any")) == (count, count)
            for filters in (ListFilters(health="trouble"), ListFilters(task="any"), ListFilters(task="safety")):
                assert len(await cohort_page.keys(session, COHORT, filters, known)) == count, filters
            [line] = await cohort_page.list_lines(session, COHORT, [PAIR.key], known)
            assert (line.held, line.health, line.open_tasks) == (
                (True, "trouble", 1) if count else (False, "good", 0)
            )
        assert [one.tasks for one in await cohort_page.cohorts(session, None, "casey")] == [1]
        assert [one.tasks for one in await cohort_page.cohorts(session, None, "dana")] == [0]
