"""How much one address and one link may ask of the pages, and whom a proxy speaks for."""

from __future__ import annotations

import httpx
import pytest
import structlog

from store.tables import AnswerRow
from testing.environments.web_env import BASE_URL, WebEnv, filled_in, send, web_env_of
from web.rate_limits import MOST_REMEMBERED, Buckets, client_of, link_in

STRANGER = "81.2.69.142"


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def asking(web_env: WebEnv, address: str = STRANGER) -> httpx.AsyncClient:
    """A browser at this address."""
    transport = httpx.ASGITransport(web_env.app, client=(address, 50000))
    return httpx.AsyncClient(transport=transport, base_url=BASE_URL, follow_redirects=True)


def test_a_bucket_empties_and_fills_up_again() -> None:
    clock = Clock()
    buckets = Buckets(6, clock)
    assert [buckets.take("a") for _ in range(7)] == [0] * 6 + [10]
    assert buckets.take("b") == 0
    clock.now += 9
    assert buckets.take("a") == 1
    clock.now += 1
    assert [buckets.take("a"), buckets.take("a")] == [0, 10]
    clock.now += 3600
    assert [buckets.take("a") for _ in range(7)] == [0] * 6 + [10]


def test_none_means_no_limit() -> None:
    assert {Buckets(0).take("a") for _ in range(1000)} == {0}


def test_what_is_remembered_has_a_bound_and_holds_no_link() -> None:
    clock = Clock()
    buckets = Buckets(1, clock)
    assert [buckets.take("token"), buckets.take("token")] == [0, 60]
    for number in range(MOST_REMEMBERED + 50):
        buckets.take(str(number))
    assert len(buckets) == MOST_REMEMBERED
    assert buckets.take("token") == 0, "the one that was used least recently is forgotten"
    assert b"token" not in b"".join(buckets._filled)


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "expected"),
    [
        (0, STRANGER, [], f"{STRANGER}/32"),
        (0, STRANGER, ["9.9.9.9"], f"{STRANGER}/32"),
        (0, "127.0.0.1", [], ""),
        (0, "172.18.0.1", ["9.9.9.9"], ""),
        (0, "2001:4860:4860::8888", [], "2001:4860:4860::/64"),
        (0, "2001:4860:4860:0:1::2", [], "2001:4860:4860::/64"),
        (0, f"::ffff:{STRANGER}", [], f"{STRANGER}/32"),
        (1, "172.18.0.1", [STRANGER], f"{STRANGER}/32"),
        (1, "172.18.0.1", [f"9.9.9.9, {STRANGER}"], f"{STRANGER}/32"),
        (1, "172.18.0.1", ["9.9.9.9", STRANGER], f"{STRANGER}/32"),
        (2, "172.18.0.1", [f"9.9.9.9, {STRANGER}, 10.0.0.7"], f"{STRANGER}/32"),
        (1, "172.18.0.1", ["10.1.2.3"], "10.1.2.3/32"),
        (1, "172.18.0.1", [], ""),
        (1, STRANGER, [], f"{STRANGER}/32"),
        (2, "172.18.0.1", [STRANGER], ""),
        (1, "172.18.0.1", ["unknown"], "unknown"),
        (1, "172.18.0.1", ["<script>, \x00"], "unknown"),
        (1, "172.18.0.1", [f"{STRANGER}:4711"], f"{STRANGER}/32"),
        (1, "172.18.0.1", ["[2001:4860:4860::8888]:4711"], "2001:4860:4860::/64"),
        (1, "172.18.0.1", ['"[2001:4860:4860::8888]"'], "2001:4860:4860::/64"),
        (1, "172.18.0.1", ["[2001:4860:4860::8888]"], "2001:4860:4860::/64"),
        (1, "172.18.0.1", ["9.9.9.9, unknown"], "unknown"),
    ],
)
def test_a_forwarded_address_counts_as_far_as_our_own_proxies_wrote_it(
    proxies: int, peer: str, forwarded: list[str], expected: str
) -> None:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    assert client_of({"type": "http", "client": (peer, 1), "headers": headers}, proxies) == expected


def test_a_socket_without_an_address_is_nobody() -> None:
    assert client_of({"type": "http", "client": None, "headers": []}, 0) == ""


@pytest.mark.parametrize(
    ("path", "token"),
    [
        ("/f/abc", "abc"),
        ("/f/abc/thanks", "abc"),
        ("/mentoring/stop/abc", "abc"),
        ("/f/", ""),
        ("/", ""),
        ("/static/x", ""),
    ],
)
def test_a_link_has_one_bucket_whatever_is_done_with_it(path: str, token: str) -> None:
    assert link_in(path)[1] == token


async def test_an_address_that_asks_too_much_is_told_when_to_come_again(web_env: WebEnv) -> None:
    narrow = web_env_of(web_env.database, requests_per_minute=5)
    path = await narrow.ask("check_in", "ada")
    with structlog.testing.capture_logs() as logs:
        async with asking(narrow) as eager, asking(narrow, "9.9.9.9") as other:
            pages = [await eager.get("/f/guess") for _ in range(6)]
            assert [page.status_code for page in pages] == [404] * 5 + [429]
            assert 1 <= int(pages[-1].headers["retry-after"]) <= 12
            assert "Please wait" in pages[-1].text
            assert pages[-1].headers["cache-control"] == "no-store"
            assert "default-src 'none'" in pages[-1].headers["content-security-policy"]
            assert (await eager.post(path, data={})).status_code == 429
            assert (await other.get(path)).status_code == 200
    assert [line["status"] for line in logs if line["event"] == "page"].count(429) == 2
    assert STRANGER not in repr(logs)


async def test_a_link_that_is_asked_for_too_often_rests_from_everywhere(web_env: WebEnv) -> None:
    narrow = web_env_of(web_env.database, requests_per_link=3)
    path, other = await narrow.ask("check_in", "ada"), await narrow.ask("check_in", "mia")
    async with asking(narrow) as first, asking(narrow, "9.9.9.9") as second:
        typed = await filled_in(narrow, path)
        page = (await first.get(path)).text
        await second.get(path)
        await second.get(path)
        assert (await send(first, path, typed, page)).status_code == 429
        assert (await second.get(other)).status_code == 200
    assert await narrow.count(AnswerRow) == 0


async def test_people_behind_an_undeclared_proxy_do_not_share_a_bucket(web_env: WebEnv) -> None:
    narrow = web_env_of(web_env.database, requests_per_minute=2)
    async with asking(narrow, "172.18.0.1") as client:
        assert {(await client.get("/")).status_code for _ in range(10)} == {200}


async def test_as_shipped_nobody_who_fills_in_a_form_gets_near_a_limit(web_env: WebEnv) -> None:
    path = await web_env.ask("agreement", "ada")
    async with asking(web_env) as client:
        for _ in range(30):
            assert (await client.get(path)).status_code == 200
        page = await send(client, path, await filled_in(web_env, path))
    assert page.status_code == 200


async def test_a_link_has_one_bucket_however_it_is_spelled(web_env: WebEnv) -> None:
    """Every spelling that opens a page counts, and what does not open one has the limit by address."""
    narrow = web_env_of(web_env.database, requests_per_link=3)
    path = await narrow.ask("check_in", "ada")
    token, kept = path.removeprefix("/f/"), []
    async with asking(narrow) as eager:
        for other in ("", "=", "==", "!", "%C3%A4", "%20", "/thanks", "/saved", "/thanks", "/saved"):
            page = await eager.get(f"/f/{token}{other}")
            kept.append(page.status_code)
    assert kept.count(429) >= 2
    assert sum(status in (200, 303) for status in kept) <= 3


async def test_what_stands_behind_a_token_opens_no_other_bucket(web_env: WebEnv) -> None:
    narrow = web_env_of(web_env.database, requests_per_link=3)
    token = narrow.links.place_token("ada", 1)
    async with asking(narrow) as eager:
        answers = [(await eager.get(f"/me/{token}/pause/f/{number}")).status_code for number in range(5)]
        page = await eager.get(f"/me/{token}")
    assert answers == [404, 404, 404, 429, 429]
    assert page.status_code == 429
