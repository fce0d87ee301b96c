"""The words of mails on the pages: edited for one cohort, seen as a reader gets them, refused with faults, taken
back, and put in force for a cohort that runs."""

from __future__ import annotations

import re
from html import unescape

import httpx
import pytest

from mail.own_templates import OwnTemplates
from operations import audit
from operations.audit import AuditFilters
from operations.cohorts import reword
from operations.errors import Refused
from operations.health.mail_words import examine_mail_words
from operations.people.erase import erase
from store.cohorts import mail_templates
from testing.environments.coordinator_env import signed_in
from testing.environments.web_env import COHORT
from tests.coordinator.test_acts import Pages, act, pages  # noqa: F401
from tests.coordinator.test_cohort_file import cohort_file, saved

PATH = f"/c/cohorts/{COHORT}/wording/mail/check_in?language=en"
FILE = "mentorships: []\nparticipants: []\n"


def field(page: str) -> dict[str, str]:
    """What the form of a text would send."""
    text = unescape(page.partition('id="text" name="text"')[2].partition(">\n")[2].partition("</textarea>")[0])
    based_on = re.search(r'name="based_on" value="([^"]*)"', page)
    assert based_on, page
    return {"text": text, "based_on": based_on[1]}


async def edited(http: httpx.AsyncClient, before: str, after: str, path: str = PATH) -> httpx.Response:
    """The text with some words changed, saved."""
    typed = field((await http.get(path)).text)
    assert before in typed["text"]
    return await http.post(path, data=typed | {"text": typed["text"].replace(before, after)})


async def test_a_mail_is_edited_put_in_force_and_taken_back(pages: Pages) -> None:  # noqa: F811
    http, database = pages.http, pages.env.database
    await saved(http, COHORT, file=cohort_file(COHORT, FILE))
    page = await pages.get(PATH)
    assert "is shared by all cohorts" in page
    assert "How is it going?" in (await http.get(frame_of(page))).text

    broken = await edited(http, "{{ number }}", "{{ nummer }}")
    assert broken.status_code == 422
    assert "mail/en/check_in.md, line 3:" in broken.text
    assert re.search(r"<pre class=.said.>3 .*nummer", broken.text), "the line that is wrong"
    assert "is shared by all cohorts" in broken.text, "nothing was kept"
    loop = await edited(http, "---\n{% if", "---\n{% for n in range(9) %}{% for m in range(9) %}{% if")
    assert loop.status_code == 422

    kept = await edited(http, "Check-in {{ number }}", "Our check-in {{ number }}")
    assert kept.status_code == 200
    assert "It is kept with version 2" in kept.text
    assert "still have other words" in kept.text, "the cohort runs"
    assert "Our check-in 1: how is it going" in kept.text
    assert f"{COHORT}: has the shared words" in kept.text
    assert "spring" in (await http.get(f"/c/cohorts/{COHORT}/wording")).text
    async with database.session() as session:
        assert not (await mail_templates.in_force(session, COHORT)).texts, "an edit touches nobody by itself"

    shown, done = await act(pages, f"/c/cohorts/{COHORT}/reword")
    assert "the words of that version" in shown
    assert 'class="done"' in done
    async with database.session() as session:
        assert "Our check-in" in (await mail_templates.in_force(session, COHORT)).texts["en/check_in"]
    page = await pages.get(PATH)
    assert "still have other words" not in page
    assert f"{COHORT}: has its own words" in page

    # Back to the version before: on the page of the text, and in force.
    assert "version=1#text" in page
    assert "Our check-in" not in field(await pages.get(f"{PATH}&version=1"))["text"]
    back, _ = await act(pages, f"/c/cohorts/{COHORT}/reword", version="1")
    assert "the shared words again" in back
    async with database.session() as session:
        assert not (await mail_templates.in_force(session, COHORT)).texts
    again, done = await act(pages, f"/c/cohorts/{COHORT}/reword", version="1")
    assert "These words are in force already." in again
    lines, _ = await audit.look(database, AuditFilters(), most=1000)
    told = [(line.what, line.ids) for line in lines[::-1]]
    assert ("save_wording", ("mail/en/check_in", "2")) in told
    assert [what for what, _ in told if what == "reword"] == ["reword"] * 3


def frame_of(page: str) -> str:
    """Where the frame of a page reads its mail."""
    found = re.search(r'<iframe class="mail" src="([^"]+)"', page)
    assert found, page
    return unescape(found[1])


async def test_the_second_of_two_who_edit_is_told_and_loses_nothing(pages: Pages) -> None:  # noqa: F811
    http = pages.http
    await saved(http, COHORT, file=cohort_file(COHORT, FILE))
    mine = field(await pages.get(PATH))
    assert (await edited(http, "A few ticks", "Some ticks")).status_code == 200
    mine["text"] = mine["text"].replace("A few ticks", "Three ticks")
    late = await http.post(PATH, data=mine)
    assert late.status_code == 409
    assert "Somebody else has changed this text" in late.text
    assert "Three ticks" in field(late.text)["text"]
    assert (await http.post(PATH, data=field(late.text))).status_code == 200
    # What they did to another text of the same version is kept.
    other = PATH.replace("check_in", "closure")
    assert (await edited(http, "---\n", "---\nevent: x\n", other)).status_code in (200, 422)
    assert "Three ticks" in field(await pages.get(PATH))["text"]


async def test_what_is_not_there_cannot_be_worded(pages: Pages) -> None:  # noqa: F811
    http = pages.http
    await saved(http, COHORT, file=cohort_file(COHORT, FILE))
    for name in ("mail/words", "mail/nothing", "mail/check_in?language=..", "mail/check_in?language=xx-y"):
        path = f"/c/cohorts/{COHORT}/wording/{name}"
        assert (await http.get(path)).status_code == 404, name
        assert (await http.post(path, data={"text": "x"})).status_code == 404, name
    for name in ("frame", "tasks", "task_opened", "message"):
        page = await pages.get(f"/c/cohorts/{COHORT}/wording/mail/{name}?language=en")
        assert (await http.get(frame_of(page))).status_code == 200, name
    german = await pages.get(f"/c/cohorts/{COHORT}/wording/mail/check_in?language=de")
    assert "Check-in {{ number }}" in unescape(german), "a translation begins with the English text"


async def test_a_cohort_that_is_launched_has_its_words_from_the_beginning_and_erased_people_are_in_none(
    pages: Pages,  # noqa: F811
) -> None:
    database, settings = pages.env.database, pages.env.settings
    await saved(pages.http, COHORT, file=cohort_file(COHORT, FILE))
    await edited(pages.http, "A few ticks", "Ada Lindqvist asks for a few ticks")
    seen = await reword.outlook(database, settings, COHORT)
    assert await reword.reword(database, seen, pages.env.now, by="coco", proof="command_line")
    assert not await reword.reword(database, seen, pages.env.now, by="coco")
    with pytest.raises(Refused, match="has no version 9"):
        await reword.outlook(database, settings, COHORT, 9)
    assert [one.state for one in await examine_mail_words(database, settings)] == ["good"]
    async with database.begin() as session:  # an upgrade took a value away
        broken = OwnTemplates.of({"en/check_in": "---\nsubject: {{ gone }}\npreheader: b\nheading: c\n---\nHello."})
        await mail_templates.put(session, COHORT, broken)
    [fault] = await examine_mail_words(database, settings)
    assert (fault.state, "mail/en/check_in.md, line 2" in fault.says) == ("fault", True)
    assert await reword.reword(database, await reword.outlook(database, settings, COHORT), pages.env.now, by="coco")
    erased = await erase(database, "ada", pages.env.now, by="coco")
    assert erased.rows["mail_templates"] == 1
    async with database.session() as session:
        assert "Lindqvist" not in str(await mail_templates.in_force(session, COHORT))
        texts = (await mail_templates.in_force(session, COHORT)).texts["en/check_in"]
        assert "asks for a few ticks" in texts
        assert "Lindqvist" not in texts


async def test_a_reader_may_not_word_mails(pages: Pages) -> None:  # noqa: F811
    async with signed_in(pages.env, granted=("reader",)) as client:
        assert (await client.get(PATH)).status_code == 403
        assert (await client.get(f"/c/cohorts/{COHORT}/reword")).status_code == 403
