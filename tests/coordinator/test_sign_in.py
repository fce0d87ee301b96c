"""Signing in to the coordinators' pages by a link: what a GET may do, and what a POST does once."""

from __future__ import annotations

from testing.environments.coordinator_env import printed_link, signed_in
from testing.environments.web_env import WebEnv


async def test_a_printed_link_signs_in_once_and_by_its_button_only(web_env: WebEnv) -> None:
    path = await printed_link(web_env, "coco")
    async with web_env.client() as client:
        for _ in range(2):
            assert "Sign in" in (await client.get(path)).text
        assert "mentorship-session" not in client.cookies
        today = await client.post(path)
        assert today.url.path == "/c/"
        assert "Coco Marchetti" in today.text
    async with web_env.client() as other:
        assert (await other.post(path)).status_code == 403
        assert (await other.get("/c/")).url.path == "/c/sign-in"
        assert (await other.get("/c")).url.path == "/c/sign-in"


async def test_signing_out_ends_the_session_on_the_server(web_env: WebEnv) -> None:
    async with signed_in(web_env, "coco") as client:
        cookie = client.cookies["__Host-mentorship-session"]
        await client.post("/c/sign-out")
    async with web_env.client() as client:
        client.cookies.set("__Host-mentorship-session", cookie)
        assert (await client.get("/c/")).url.path == "/c/sign-in"
