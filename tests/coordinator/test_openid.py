"""Signing in by a real OpenID provider in a process of its own, and by the header of a trusted proxy."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import ValidationError

from operations.health.sign_in import examine_sign_in
from runtime.settings import Settings
from store.tables import SessionRow
from testing.environments.web_env import WebEnv, web_env_of
from testing.seasons.played_season import logs_kept

START = "/c/sign-in/openid"


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """An OpenID provider; its issuer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("oidc-provider-mock")), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    issuer = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 30
        while True:
            try:
                httpx.get(f"{issuer}/.well-known/openid-configuration")
                break
            except httpx.HTTPError:
                assert time.monotonic() < until
                time.sleep(0.05)
        yield issuer
    finally:
        process.kill()
        process.wait()


def with_provider(env: WebEnv, issuer: str, **more: str) -> WebEnv:
    """The pages, with that provider."""
    return web_env_of(
        env.database, "https://pages.test", oidc_issuer=issuer, oidc_client_id="pages",
        oidc_client_secret="a secret of the client", **more,  # pyright: ignore[reportArgumentType]
    )  # fmt: skip


async def come_back(client: httpx.AsyncClient, issuer: str, claims: dict[str, Any], start: str = START) -> str:
    """Sign in at the provider as somebody with these claims; the address to which it sends the browser back."""
    away = await client.get(start, follow_redirects=False)
    assert away.status_code == 303
    async with httpx.AsyncClient() as browser:
        subject = claims["sub"]
        await browser.put(f"{issuer}/users/{subject}", json={k: v for k, v in claims.items() if k != "sub"})
        back = await browser.post(away.headers["location"], data={"sub": subject})
    assert back.status_code in (302, 303), back.text
    return back.headers["location"]


COCO = {"sub": "u1", "email": "coco@example.org", "email_verified": True}


async def test_a_verified_address_of_ours_signs_in_once(web_env: WebEnv, provider: str) -> None:
    env = with_provider(web_env, provider)
    async with env.client() as client:
        assert "Sign in with your organisation" in (await client.get("/c/sign-in")).text
        location = await come_back(client, provider, COCO, f"{START}?next=%2Fc%2Fsessions")
        query = parse_qs(urlsplit(location).query)
        assert set(query) >= {"code", "state"}
        page = await client.get(location)
        assert page.url.path == "/c/sessions"
        assert "OpenID Connect" in page.text
        assert (await client.get(location)).status_code == 403
    assert await env.count(SessionRow) == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "u2", "email": "coco@example.org", "email_verified": False},
        {"sub": "u3", "email": "coco@example.org"},
        {"sub": "u4", "email": "coco@example.org", "email_verified": "true"},
        {"sub": "u5", "email": "stranger@example.org", "email_verified": True, "groups": ["admins"]},
        {"sub": "u6", "email": "mia@example.org", "email_verified": True},
    ],
    ids=["not verified", "nothing said", "a word", "nobody of ours", "a participant"],
)
async def test_nobody_else_is_let_in(web_env: WebEnv, provider: str, claims: dict[str, Any]) -> None:
    env = with_provider(web_env, provider)
    async with env.client() as client:
        page = await client.get(await come_back(client, provider, claims))
        assert page.status_code == 403
        assert "not let in" in page.text
    assert await env.count(SessionRow) == 0


async def test_a_claim_grants_the_role_that_the_settings_name(web_env: WebEnv, provider: str) -> None:
    env = with_provider(web_env, provider, oidc_claim="nickname", oidc_roles="ops=administrator, board=reader")
    for nickname, path, status in (("ops", "/c/installation", 200), ("board", "/c/installation", 403)):
        async with env.client() as client:
            claims = {
                "sub": nickname,
                "email": f"{nickname}@example.org",
                "email_verified": True,
                "nickname": nickname,
            }
            page = await client.get(await come_back(client, provider, claims))
            assert page.url.path == "/c/", page.text
            assert "Spring 2027" in page.text
            assert (await client.get(path)).status_code == status


async def test_a_state_of_another_browser_counts_for_nothing(web_env: WebEnv, provider: str) -> None:
    env = with_provider(web_env, provider)
    with logs_kept() as kept:
        async with env.client() as client, env.client() as other:
            location = await come_back(client, provider, COCO)
            assert (await other.get(location)).status_code == 403
            await other.get(START, follow_redirects=False)
            assert (await other.get(location)).status_code == 403
    assert await env.count(SessionRow) == 0
    assert "another state" in str(kept)
    assert "coco" not in str(kept)
    assert parse_qs(urlsplit(location).query)["code"][0] not in str(kept)


async def test_a_provider_that_is_away_is_said_plainly(web_env: WebEnv) -> None:
    env = with_provider(web_env, "http://127.0.0.1:9")
    async with env.client() as client:
        page = await client.get(START)
    assert page.status_code == 403
    assert "ask for a mail" in page.text


# -- a proxy --------------------------------------------------------------------------------------------------------


def client_from(env: WebEnv, peer: str, **headers: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(env.app, client=(peer, 4711))
    return httpx.AsyncClient(
        transport=transport, base_url="https://pages.test", follow_redirects=True, headers=headers
    )


async def test_a_header_counts_from_a_trusted_proxy_and_as_long_as_it_says_the_same(web_env: WebEnv) -> None:
    env = web_env_of(
        web_env.database, "https://pages.test", sign_in_header="X-Forwarded-Email", trusted_proxies="10.1.0.0/16"
    )
    coco = {"x-forwarded-email": "Coco@example.org"}
    async with client_from(env, "192.0.2.1", **coco) as stranger:
        assert (await stranger.post("/c/sign-in/header")).status_code == 403
    async with client_from(env, "10.1.2.3", **{"x-forwarded-email": "mia@example.org"}) as participant:
        assert (await participant.post("/c/sign-in/header")).status_code == 403
    async with client_from(env, "10.1.2.3", **coco) as client:
        assert (await client.post("/c/sign-in/header", data={"next": "/c/sessions"})).url.path == "/c/sessions"
        client.headers["x-forwarded-email"] = "mia@example.org"
        assert (await client.get("/c/")).url.path == "/c/sign-in"


@pytest.mark.parametrize(
    "changes",
    [
        {"sign_in_header": "X-Email"},
        {"sign_in_header": "X-Email", "trusted_proxies": "everywhere"},
        {"oidc_issuer": "https://login.example.org"},
        {"oidc_roles": "board=coordinator"},
    ],
    ids=["no networks", "no network", "no client", "no such role"],
)
def test_settings_that_would_let_anybody_in_are_refused(changes: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Settings(_env_file=None, **changes)  # pyright: ignore[reportCallIssue, reportArgumentType]


def test_the_doctor_knows_how_an_organisation_signs_in() -> None:
    plain = Settings(_env_file=None)  # pyright: ignore[reportCallIssue]
    assert examine_sign_in(plain) == []
    told = Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue]
        oidc_issuer="https://login.example.org",
        oidc_client_id="pages",
        sign_in_header="X-Email",
        trusted_proxies="10.0.0.0/8",
    )
    assert [(one.what, one.state) for one in examine_sign_in(told)] == [
        ("sign-in by OpenID Connect", "warning"),
        ("sign-in by a proxy", "good"),
    ]
