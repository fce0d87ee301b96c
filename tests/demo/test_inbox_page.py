"""The inbox: it shows what is there, and a mail can do nothing in it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser

from embedded.inbox_page import create_inbox_page
from embedded.mailbox import Inbox
from embedded.stack import port_of
from web.server import serving

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
EVIL = "<script>document.title = 'taken over'</script><img src='{elsewhere}/pixel.png'>"


def mail(to: str, subject: str, html: str = "<p>Hello</p>") -> bytes:
    """A mail as it comes over the wire."""
    message = EmailMessage()
    message["To"] = to
    message["From"] = "Mentoring <mentoring@example.org>"
    message["Subject"] = subject
    message["Date"] = NOW
    message["Message-ID"] = f"<{abs(hash((to, subject)))}@example.org>"
    message.set_content("Hello\n")
    message.add_alternative(f"<html><head></head><body>{html}</body></html>", subtype="html")
    message.add_attachment(b"BEGIN:VCALENDAR", maintype="text", subtype="calendar", filename="meetings.ics")
    return message.as_bytes(policy=message.policy.clone(linesep="\r\n"))


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    """An inbox with two mails."""
    inbox = Inbox(tmp_path / "inbox", lambda: NOW)
    inbox.take("ada@example.org", mail("Ada Lindqvist <ada@example.org>", "Check-in 1: how is it going?"))
    inbox.take("ben@example.org", mail("Ben O'Neill <ben@example.org>", "Welcome <b>you</b>"))
    return inbox


@pytest_asyncio.fixture
async def address(inbox: Inbox) -> AsyncIterator[str]:
    """The inbox, over HTTP."""
    app = create_inbox_page(inbox, lambda: NOW, "http://pages.test/c/", "http://ui.test")
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        async with serving(app, listening):
            yield f"http://127.0.0.1:{port_of(listening)}"


async def test_mails_are_found_by_person_and_by_subject(address: str) -> None:
    async with httpx.AsyncClient(base_url=address) as client:
        for words, found, missing in (
            ("lindqvist", "Check-in 1", "Welcome"),
            ("BEN@example", "Welcome", "Check-in 1"),
            ("check-in ada", "Check-in 1", "Welcome"),
        ):
            page = (await client.get("/inbox", params={"q": words})).text
            assert found in page, words
            assert missing not in page, words
        assert "No mail has all of these words" in (await client.get("/inbox", params={"q": "nobody"})).text
        assert "&lt;b&gt;you&lt;/b&gt;" in (await client.get("/inbox")).text


async def test_what_is_not_there_is_not_found_and_strangers_are_turned_away(address: str) -> None:
    async with httpx.AsyncClient(base_url=address) as client:
        for path in ("/inbox/99", "/inbox/99/html", "/inbox/1/parts/7", "/inbox/one", "/nothing"):
            assert (await client.get(path)).status_code == 404, path
        assert (await client.get("/", headers={"host": "evil.example.org"})).status_code == 400
        assert (await client.post("/inbox")).status_code == 405


async def test_a_mail_keeps_its_bytes_and_its_files(address: str, inbox: Inbox) -> None:
    sent = mail("Ada Lindqvist <ada@example.org>", "Check-in 1: how is it going?")
    async with httpx.AsyncClient(base_url=address) as client:
        source = (await client.get("/inbox/1/source")).content
        part = await client.get("/inbox/1/parts/1")
    # The boundary between the parts is made again for each message.
    assert source.partition(b"\r\n\r\n")[0].splitlines()[:4] == sent.partition(b"\r\n\r\n")[0].splitlines()[:4]
    assert inbox.received[0].raw == source
    assert part.content == b"BEGIN:VCALENDAR"
    assert part.headers["content-disposition"] == "attachment; filename*=UTF-8''meetings.ics"


def test_an_inbox_is_the_same_after_a_restart(inbox: Inbox) -> None:
    again = Inbox(inbox.folder, lambda: NOW)
    assert [(one.number, one.recipient, one.id, one.raw) for one in again.received] == [
        (one.number, one.recipient, one.id, one.raw) for one in inbox.received
    ]
    assert again.take("ada@example.org", mail("ada@example.org", "Third")).number == 3


async def test_a_mail_can_run_nothing_and_load_nothing(address: str, inbox: Inbox, browser: Browser) -> None:
    reached: list[str] = []

    def reach(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append("the tracking pixel")
        writer.close()

    async with await asyncio.start_server(reach, "127.0.0.1", 0) as elsewhere:
        evil = EVIL.format(elsewhere=f"http://127.0.0.1:{elsewhere.sockets[0].getsockname()[1]}")
        number = inbox.take("ben@example.org", mail("Ben <ben@example.org>", "Look at this", evil)).number
        context = await browser.new_context()
        page = await context.new_page()
        for path in (f"/inbox/{number}", f"/inbox/{number}/html"):
            await page.goto(address + path, wait_until="networkidle")
            assert await page.title() != "taken over", path
        await context.close()
    assert reached == []


@pytest.mark.parametrize("path", ["/inbox", "/inbox/1"])
async def test_every_page_fits_a_small_phone_and_needs_no_foreign_thing(
    address: str, browser: Browser, path: str
) -> None:
    context = await browser.new_context(viewport={"width": 320, "height": 640})
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    await page.goto(address + path)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    assert said == []
    await context.close()
