"""What the outermost layer takes, refuses and writes down, whatever a client sends."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlsplit

import httpx
import pytest
import structlog
from temporalio.client import Client

from operations.health.metrics import ProcessHealth
from program.limits import COOKIE_BYTES
from runtime.settings import Settings
from store.database import Database
from testing.environments.web_env import BASE_URL, NOW, WebEnv, web_env_of
from web.health import create_health_app
from web.security import HEADERS, Hosts

MALFORMED = ("http://[", "http://[::1", "//", "http://a b", "https://[v1.x]", "\x00", "http://\xff")


async def asked(web_env: WebEnv, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    """A request with headers that a well-behaved client would not send."""
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    request = httpx.Request(method, BASE_URL + path, headers=raw, content=b"" if method == "POST" else None)
    answer = await httpx.ASGITransport(web_env.app).handle_async_request(request)
    await answer.aread()
    return answer


def assert_guarded(answer: httpx.Response) -> None:
    for name, value in HEADERS.items():
        assert answer.headers.get_list(name) == [value], name


@pytest.mark.parametrize("origin", MALFORMED)
async def test_a_malformed_origin_is_another_page(web_env: WebEnv, origin: str) -> None:
    path = await web_env.ask("check_in", "ada")
    answer = await asked(web_env, "POST", path, {"host": "pages.test", "origin": origin})
    assert answer.status_code == 403
    assert_guarded(answer)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "pages.test.evil.example", *MALFORMED])
async def test_a_host_that_is_not_ours_is_refused(web_env: WebEnv, host: str) -> None:
    path = await web_env.ask("check_in", "ada")
    for method in ("GET", "POST"):
        answer = await asked(web_env, method, path, {"host": host, "origin": f"http://{host}"})
        assert answer.status_code == 421
        assert_guarded(answer)


@pytest.mark.parametrize(
    "host", ["pages.test", "PAGES.test:80", "127.0.0.1:8080", "[::1]:8080", "localhost", "web:8080", "inside.example"]
)
async def test_a_host_of_ours_is_answered(web_env: WebEnv, host: str) -> None:
    named = web_env_of(web_env.database, hosts="inside.example, other.example")
    path = await named.ask("check_in", "ada")
    assert (await asked(named, "GET", path, {"host": host})).status_code == 200


def test_a_client_without_a_host_is_no_browser() -> None:
    assert Hosts(()).know("")


async def test_metrics_are_told_to_hosts_that_are_ours(database: Database) -> None:
    client = await Client.connect("127.0.0.1:1", lazy=True)  # nobody listens there, as when Temporal is away
    process_health = ProcessHealth(database, client, lambda: NOW, needs_temporal=False)
    transport = httpx.ASGITransport(create_health_app(process_health, Settings(hosts="metrics.example").other_hosts))
    async with httpx.AsyncClient(transport=transport, base_url="http://worker:9464") as client:
        for path in ("/metrics", "/healthz", "/readyz"):
            for host, taken in (("10.0.0.7:9464", True), ("metrics.example", True), ("evil.example", False)):
                answer = await client.get(path, headers={"host": host})
                assert (answer.status_code != 421) is taken, (path, host)
                assert taken or "mentorship_" not in answer.text


async def test_only_methods_that_exist_are_logged_by_name(web_env: WebEnv) -> None:
    method = "A" * 2000
    with structlog.testing.capture_logs() as logs:
        await asked(web_env, method, "/", {"host": "pages.test"})
        await asked(web_env, "GET", "/", {"host": "pages.test"})
    assert [line["method"] for line in logs if line["event"] == "page"] == ["other", "GET"]
    assert method not in repr(logs)


async def test_a_client_that_hangs_up_is_no_error(served: WebEnv) -> None:
    """A real client on a real socket that promises a body and ends in its middle."""
    path = await served.ask("check_in", "ada")
    address = urlsplit(served.settings.public_url)
    ended = asyncio.Event()

    def note(_logger: object, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        lines.append(dict(event))
        if event.get("event") == "page" and event.get("method") == "POST":
            ended.set()
        raise structlog.DropEvent

    lines: list[dict[str, object]] = []
    with structlog.testing.capture_logs(processors=[note]):
        _, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(
            f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: 1000\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\n\r\nsubmission_id=half-a-form".encode()
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        await asyncio.wait_for(ended.wait(), 20)
    posted = [line for line in lines if line.get("method") == "POST"]
    assert [line["status"] for line in posted] == [499]
    assert [line for line in lines if line["event"] == "page_failed"] == [], json.dumps(lines, default=str)


async def test_a_path_with_what_is_no_text_leads_nowhere(both: WebEnv) -> None:
    """On both databases: PostgreSQL can't be asked for an id that holds a NUL."""
    for path in ("/apply/%00", "/me/%00", "/f/a%00b/thanks", "/c/people/%00", "/apply/%E2%80%AE"):
        answer = await asked(both, "GET", path, {"host": "pages.test"})
        assert answer.status_code == 404, path
        assert_guarded(answer)


@pytest.mark.parametrize(
    ("kind", "taken"),
    [
        ("application/x-www-form-urlencoded", True),
        ("application/x-www-form-urlencoded; charset=UTF-8", True),
        ('multipart/form-data; boundary=x; charset="utf-8"', True),
        ("multipart/form-data; boundary=x; charset=punycode", False),
        ("multipart/form-data; charset=utf-7; boundary=x", False),
        ('multipart/form-data; boundary="charset=utf-8"; charset=idna', False),
        ("multipart/form-data; boundary=x; charset*0=puny; charset*1=code", False),
    ],
)
async def test_a_form_is_in_utf_8(web_env: WebEnv, kind: str, taken: bool) -> None:
    path = await web_env.ask("check_in", "ada")
    answer = await asked(web_env, "POST", path, {"host": "pages.test", "content-type": kind})
    assert (answer.status_code != 415) is taken
    assert_guarded(answer)


async def test_cookies_have_a_limit_of_size(web_env: WebEnv) -> None:
    for length, status in ((COOKIE_BYTES, 303), (COOKIE_BYTES + 1, 431)):
        answer = await asked(web_env, "GET", "/c/", {"host": "pages.test", "cookie": "a" * length})
        assert answer.status_code == status
        assert_guarded(answer)
