"""The link to the own page by a mail of its own: it goes at once and once, to the address that is known."""

from __future__ import annotations

import pytest

from operations import audit
from operations.audit import AuditFilters
from operations.errors import Refused
from operations.people.send_link import outlook, send_link
from testing.environments.delivery_env import HOUR, LINKS, NINE, DeliveryEnv

NIGHT = NINE - 6 * HOUR
"""Three in the morning: the letterboxes are closed."""


async def test_it_goes_at_once_and_once(delivery_env: DeliveryEnv) -> None:
    database = delivery_env.database
    await delivery_env.deliver_until_done(NINE - 24 * HOUR)
    before = len(delivery_env.sink.mails_to("ada@example.org"))
    person = await delivery_env.person("ada")
    assert await send_link(database, "Ada@Example.org", NIGHT, by="dana", why="asked", proof="command_line")
    assert not await send_link(database, "ada", NIGHT, by="dana"), "one is on its way"
    assert (await outlook(database, "ada")).waits
    await delivery_env.deliver_until_done(NIGHT)
    [mail] = delivery_env.sink.mails_to("ada@example.org")[before:]
    assert mail.message["Subject"] == "The link to your own page"
    assert LINKS.place_url("ada", person.generation) in mail.text
    seen = await outlook(database, "ada")
    assert (seen.waits, seen.sent, seen.email) == (False, 1, "ada@example.org")
    [line], _ = await audit.look(database, AuditFilters(what="send-link"))
    assert (line.by, line.ids, line.reason) == ("dana", ("ada",), "asked")


async def test_whom_no_mail_reaches_gets_none(delivery_env: DeliveryEnv) -> None:
    for standing, says in (("bounced", "correct the address first"), ("erased", "gets no mail any more")):
        await delivery_env.change("ada", standing=standing)
        with pytest.raises(Refused, match=says):
            await send_link(delivery_env.database, "ada", NIGHT, by="dana")
    with pytest.raises(Refused, match="has no page of their own"):
        await outlook(delivery_env.database, "dana")
