"""Clients that are signed in to the coordinators' web: by a printed link, as a browser uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx

from operations.accounts.accounts import AccountRules, Role
from operations.accounts.printed_links import OPERATOR, print_link
from operations.accounts.sign_in import SignIn

if TYPE_CHECKING:
    from testing.environments.web_env import WebEnv


async def printed_link(env: WebEnv, person: str = "", granted: tuple[Role, ...] = ()) -> str:
    """The path of a one-time link for a person of a cohort, or for the operator with these roles."""
    if person:
        link = await print_link(env.database, env.settings, person)
        return link.url.removeprefix(env.settings.public_url)
    sign_in = SignIn(env.database, AccountRules(env.settings.secrets), env.settings.secrets[0])
    return f"/c/sign-in/link/{await sign_in.print_link(OPERATOR, datetime.now(UTC), granted=granted)}"


@asynccontextmanager
async def signed_in(
    env: WebEnv, person: str = "", granted: tuple[Role, ...] = ()
) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is signed in as this person, or as the operator with these roles (`administrator`)."""
    async with env.client() as client:
        response = await client.post(await printed_link(env, person, granted))
        assert response.status_code == 200, response.text
        yield client
