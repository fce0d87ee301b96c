"""The mailbox for bounces, read from a real IMAP server: each mail is handled once, and none is lost."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from operations.bounces.bounces import Handled, read_mailbox
from operations.bounces.imap import MailboxAddress, NoMailbox, opened
from runtime.settings import Settings
from testing.environments.delivery_env import HOUR, NINE_IN_NEW_YORK, DeliveryEnv
from testing.servers.imap import ImapServer, imap_server
from tests.operations.test_bounces import HUMAN, SETTINGS, VACATION, delivery_env, mailed, report, sink

__all__ = ["delivery_env", "sink"]

SEEN, FLAGGED = "\\Seen", "\\Flagged"
NAMES = count()


@pytest.fixture(scope="module")
def server() -> Iterator[ImapServer]:
    with imap_server() as server:
        yield server


@pytest.fixture
def folder() -> str:
    """A name that no other test has; the server is shared."""
    return f"Bounces{next(NAMES)}"


def over_the_wire(mail: bytes) -> bytes:
    """With the ends of lines that mails have."""
    return mail.replace(b"\n", b"\r\n")


def settings(server: ImapServer, folder: str, *, password: str = "", done: str = "") -> Settings:
    """Those of an installation that reads this folder."""
    query = f"?done={done}" if done else ""
    return SETTINGS.model_copy(
        update={
            "bounce_mailbox": f"imap://{server.user}@{server.host}:{server.port}/{folder}{query}",
            "bounce_mailbox_password": type(SETTINGS.secret)(password or server.password),
        }
    )


async def handled(delivery_env: DeliveryEnv, wanted: Settings) -> list[str]:
    """What came of each mail, in order."""
    found: list[Handled] = []
    async for one in read_mailbox(delivery_env.database, wanted, NINE_IN_NEW_YORK + HOUR):
        found.append(one)
    return [one.came for one in found]


async def test_what_was_taken_in_is_moved_and_what_a_human_must_read_stays_flagged(
    delivery_env: DeliveryEnv, server: ImapServer, folder: str
) -> None:
    back = await mailed(delivery_env)
    done = f"{folder}done"
    server.fill(folder, report(back), HUMAN, VACATION)
    server.fill(done)
    came = await handled(delivery_env, settings(server, folder, done=done))
    assert came == ["bounced", "other", "auto_reply"]
    assert (await delivery_env.person("ben")).standing == "bounced"
    assert server.flags(folder) == [{SEEN, FLAGGED}], "the server can move: nothing is left behind as deleted"
    assert server.flags(done) == [{SEEN}, {SEEN}]
    assert await handled(delivery_env, settings(server, folder, done=done)) == []


async def test_without_a_folder_for_it_what_was_taken_in_stays_as_seen(
    delivery_env: DeliveryEnv, server: ImapServer, folder: str
) -> None:
    server.fill(folder, report(await mailed(delivery_env)), VACATION)
    assert await handled(delivery_env, settings(server, folder)) == ["bounced", "auto_reply"]
    assert server.flags(folder) == [{SEEN}, {SEEN}]
    assert await handled(delivery_env, settings(server, folder)) == []


async def test_more_than_are_fetched_at_once_are_each_handled_once(
    delivery_env: DeliveryEnv, server: ImapServer, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operations.bounces.imap.AT_ONCE", 3)
    server.fill(folder, *[VACATION] * 8)
    assert await handled(delivery_env, settings(server, folder)) == ["auto_reply"] * 8
    assert server.flags(folder) == [{SEEN}] * 8


async def test_a_folder_that_is_not_there_is_named_before_anything_is_read(
    delivery_env: DeliveryEnv, server: ImapServer, folder: str
) -> None:
    server.fill(folder, report(await mailed(delivery_env)))
    with pytest.raises(NoMailbox, match="there is no folder nowhere, or it can't be opened"):
        await handled(delivery_env, settings(server, folder, done="nowhere"))
    with pytest.raises(NoMailbox, match=f"there is no folder {folder}x"):
        await handled(delivery_env, settings(server, f"{folder}x"))
    assert server.flags(folder) == [set()]
    assert (await delivery_env.person("ben")).standing == "active"


async def test_folders_may_have_any_letters(delivery_env: DeliveryEnv, server: ImapServer, folder: str) -> None:
    done = f"{folder} &- weg &ZeVnLIqe-"
    server.fill(f"{folder}R&APw-ckl&AOQ-ufer", VACATION)
    server.fill(done)
    wanted = settings(server, f"{folder}R%C3%BCckl%C3%A4ufer", done=f"{folder}+%26+weg+%E6%97%A5%E6%9C%AC%E8%AA%9E")
    assert await handled(delivery_env, wanted) == ["auto_reply"]
    assert server.flags(done) == [{SEEN}]


@pytest.mark.parametrize("password", ["wrong", "fälsch"])
async def test_who_is_not_let_in_is_told_what_to_look_at_and_nobody_is_named(
    delivery_env: DeliveryEnv, server: ImapServer, folder: str, password: str
) -> None:
    with pytest.raises(NoMailbox) as refused:
        await handled(delivery_env, settings(server, folder, password=password))
    assert "MENTORSHIP_BOUNCE_MAILBOX_PASSWORD" in str(refused.value)
    assert server.user not in str(refused.value)
    assert password not in str(refused.value)


async def test_a_server_that_is_away_is_said(delivery_env: DeliveryEnv, folder: str) -> None:
    with imap_server() as gone:
        wanted = settings(gone, folder)
    with pytest.raises(NoMailbox, match="can't be read"):
        await handled(delivery_env, wanted)


def test_a_server_that_can_only_copy_keeps_a_copy_before_it_deletes(server: ImapServer, folder: str) -> None:
    done = f"{folder}done"
    server.fill(folder, VACATION, HUMAN)
    server.fill(done)
    with opened(MailboxAddress.of(settings(server, folder, done=done))) as mailbox:
        mailbox._capabilities = frozenset()
        [(first, _), _] = mailbox.unseen()
        mailbox.taken_in(first)
    assert server.flags(done) == [{SEEN}]
    assert server.flags(folder) == [{SEEN, "\\Deleted"}, set()]
    with opened(MailboxAddress.of(settings(server, folder, done=done))) as mailbox:
        assert [mail for _, mail in mailbox.unseen()] == [over_the_wire(HUMAN)], "what is deleted is not read again"


def test_a_mail_that_was_only_looked_at_is_still_unread(server: ImapServer, folder: str) -> None:
    server.fill(folder, VACATION)
    for _ in range(2):
        with opened(MailboxAddress.of(settings(server, folder))) as mailbox:
            assert [mail for _, mail in mailbox.unseen()] == [over_the_wire(VACATION)]
            assert mailbox.unseen() == [], "each is returned once"
    assert server.flags(folder) == [set()]
