"""The rehearsal of an open call is believable: its mails are those of the real call, by item and by minute."""

from __future__ import annotations

from testing.seasons.compared_gathering import compare_gathering


async def test_the_rehearsal_of_an_open_call_is_what_happens(sqlite_url: str) -> None:
    compared = await compare_gathering(sqlite_url, seed=1)
    for part in ("mails", "dropped", "tasks"):
        assert compared.happened[part] == compared.rehearsed[part], part
    names = {item["name"] for mail in compared.happened["mails"] for item in mail["items"]}
    assert names >= {
        "application_confirm", "application_yours", "application_wishes", "task_opened", "application_nobody",
        "invitation",
    }  # fmt: skip
    assert (compared.applied, compared.withdrawn) == (12, 2)
