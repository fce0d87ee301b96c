"""What a rehearsal tells a coordinator: the same for the same seed, warnings to act on, a page for everybody."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser

from operations.cohorts.rehearse import Rehearsed, rehearse
from program.loader import SHIPPED, load_cohort

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def realistic() -> Rehearsed:
    """The shipped cohort of 60 people, rehearsed with the usual mix, five times."""
    return rehearse(load_cohort(SHIPPED / "cohorts" / "realistic.yaml"), now=NOW, runs=5)


def test_the_same_seed_gives_the_same_season() -> None:
    cohort = load_cohort(SHIPPED / "cohorts" / "small.yaml")
    one, again, other = (rehearse(cohort, now=NOW, seed=seed) for seed in (7, 7, 8))
    assert one.ledger == again.ledger
    assert one.html() == again.html()
    assert one.ledger != other.ledger


def test_numbers_add_up(realistic: Rehearsed) -> None:
    report, ledger = realistic.report, realistic.ledger
    assert report.mails == len(ledger["mails"]) == sum(sum(weeks.values()) for weeks in report.mails_by.values())
    assert report.answers == len(ledger["answers"])
    assert sum(report.kinds.values()) == len(ledger["tasks"])
    assert sum(report.endings.values()) == len(ledger["endings"]) == 29


def test_ranges_hold_every_season(realistic: Rehearsed) -> None:
    mails = realistic.ranges["mails"]
    assert mails.least <= realistic.report.mails <= mails.most
    assert mails.least < mails.most


def test_it_warns_of_what_a_coordinator_can_change(tmp_path: Path) -> None:
    """A start in the past, a holiday, a close on a Sunday, a person with too many mails in a week."""
    shipped = (SHIPPED / "cohorts" / "small.yaml").read_text()
    assert "start: 2027-03-01" in shipped
    (tmp_path / "cohorts").mkdir()
    file = tmp_path / "cohorts" / "small.yaml"
    file.write_text(shipped)
    shipped_cohort = load_cohort(file)
    loaded = replace(
        shipped_cohort, cohort=shipped_cohort.cohort.model_copy(update={"holidays": (date(2027, 3, 15),)})
    )
    late = rehearse(loaded, now=NOW, launched=date(2027, 3, 8)).report
    said = "\n".join(late.warnings)
    assert "The cohort starts on 2027-03-01, before its launch on 2027-03-08" in said
    assert "fit_check 1 falls on the holiday 2027-03-15" in said
    assert "closes on Sunday" in said or "closes on Saturday" in said


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
async def test_the_page_works_for_everybody(
    realistic: Rehearsed, browser: Browser, tmp_path: Path, scheme: str, width: int
) -> None:
    file = tmp_path / "season.html"
    file.write_text(realistic.html(), encoding="utf-8")
    context = await browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})  # pyright: ignore[reportArgumentType]
    page = await context.new_page()
    await page.goto(file.as_uri())
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await page.get_by_text("Phases as a table").click()
    found = await Axe().run(page)
    await context.close()
    assert found.violations_count == 0, found.generate_report()
