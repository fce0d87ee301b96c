"""How reports look: on a desktop and on a phone, on A4 and Letter, as PDF; of each season, the empty ones too."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser
from pypdf import PdfReader

from operations.pdf import as_pdf
from rehearsal.season_rows import season_rows
from reports import html_report, season_report
from reports.html_report import Voice
from reports.rows import Season
from testing.season_attacker import with_applicants
from testing.seasons.rehearsed_answers import season
from tests.reports.test_page import SEASONS, emptied

A4, LETTER = (210, 297), (216, 279)
"""Width and height of paper, in millimetres."""
POINTS = 72 / 25.4
LOOKS = ((1280, "light"), (320, "dark"))
"""Width and colours. The season with everything in it is looked at with both, as exact and as passed on."""


@pytest.fixture(scope="module")
def rows() -> Season:
    """A season of 12 mentorships, and people who applied in vain."""
    return with_applicants(season_rows(season(11, 12, ("formal",))), 5)


@pytest.mark.parametrize("what", [*SEASONS, "whole"])
async def test_every_page_works_for_everybody(rows: Season, what: str, browser: Browser, tmp_path: Path) -> None:
    found = rows if what == "whole" else emptied(rows, what)
    for name, report, looks in (
        ("exact", season_report.exact(found, {}), LOOKS if what == "whole" else LOOKS[:1]),
        ("passed on", season_report.for_passing_on(found, {}), LOOKS if what == "whole" else LOOKS[1:]),
    ):
        file = tmp_path / f"{name}.html"
        file.write_text(html_report.page(report, voices=[Voice("I dared to ask.", "Ada")]), "utf-8")
        for width, scheme in looks:
            context = await browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})  # pyright: ignore[reportArgumentType]
            page = await context.new_page()
            await page.goto(file.as_uri())
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
            seen = await Axe().run(page)
            await context.close()
            assert seen.violations_count == 0, f"{name}, {width}: {seen.generate_report()}"


@pytest.mark.parametrize("paper", [A4, LETTER], ids=["A4", "Letter"])
async def test_no_drawing_is_cut_on_paper(
    rows: Season, paper: tuple[int, int], browser: Browser, tmp_path: Path
) -> None:
    """Laid out for paper: nothing stands beyond its width, and no drawing with its table is higher than a page."""
    file = tmp_path / "report.html"
    file.write_text(html_report.page(season_report.exact(rows, {})), "utf-8")
    width, height = ((side - margin) / 25.4 * 96 for side, margin in zip(paper, (24, 30), strict=True))
    page = await browser.new_page(viewport={"width": int(width), "height": int(height)})
    await page.emulate_media(media="print")
    await page.goto(file.as_uri())
    boxes = await page.evaluate(
        "[...document.querySelectorAll('.fig, .fig svg, .fig table')].map(e => e.getBoundingClientRect())"
        ".map(r => [r.left, r.right, r.height])"
    )
    avoided = await page.evaluate(
        "[...document.querySelectorAll('.fig')].every(e => getComputedStyle(e).breakInside == 'avoid')"
    )
    await page.close()
    assert len(boxes) > 100
    assert avoided
    for left, right, high in boxes:
        assert left >= 0
        assert right <= int(width) + 1
        assert 0 < high < height


def test_the_text_of_the_pdf_is_in_the_order_in_which_it_is_read(rows: Season) -> None:
    """Needs the extra `pdf`, which is locked with everything else: without it this fails."""
    page = html_report.page(season_report.for_passing_on(rows, {}), change="One reminder less.")
    read = PdfReader(io.BytesIO(as_pdf(page)))
    assert "/StructTreeRoot" in read.root_object
    assert [round(float(side) / POINTS) for side in read.pages[0].mediabox[2:]] == [*A4]
    text = " ".join(" ".join(each.extract_text() for each in read.pages).split())
    _, _, shown = page.partition("<main")
    shown = re.sub(r"<(title|desc)[^>]*>.*?</\1>", "", shown, flags=re.DOTALL)
    place = 0
    for words in re.findall(
        r"<(?:h1|h2|h3|figcaption|th scope=\"row\"|strong|li)[^>]*>(?:<i[^>]*></i>)?([^<]+)<", shown
    ):
        wanted = " ".join(words.replace("&#39;", "'").replace("&amp;", "&").split())
        found = text.find(wanted, place)
        assert found >= 0, f"{wanted!r} does not follow {text[place : place + 80]!r}"
        place = found + len(wanted)
    assert place > len(text) / 2
