"""Clients that are signed in to the coordinators' web: by a printed link, as a browser uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx

from operations.accounts.accounts import Account, AccountRules, Role
from operations.accounts.sign_in import SignIn
from store.accounts import accounts

if TYPE_CHECKING:
    from testing.web_env import WebEnv

OPERATOR = Account("operator", "")
"""Who has a shell on the machine: administrator, and no person of any cohort."""


async def printed_link(env: WebEnv, person: str = "", granted: tuple[Role, ...] = ()) -> str:
    """The path of a one-time link for a person of a cohort, or for the operator with these roles."""
    rules = AccountRules(env.settings.secrets, env.settings.administrator_addresses)
    account, mark = OPERATOR, ""
    if person:
        async with env.database.session() as session:
            holder = await accounts.holder_by_id(session, person)
            assert holder is not None, f"{person} has no role in any cohort"
            account = Account(holder.person, holder.name, person=holder.person)
            mark = rules.mark(holder.email)
    sign_in = SignIn(env.database, rules, env.settings.secrets[0])
    token = await sign_in.print_link(account, datetime.now(UTC), mark=mark, granted=granted)
    return f"/c/sign-in/link/{token}"


@asynccontextmanager
async def signed_in(
    env: WebEnv, person: str = "", granted: tuple[Role, ...] = ()
) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is signed in as this person, or as the operator with these roles (`administrator`)."""
    async with env.client() as client:
        response = await client.post(await printed_link(env, person, granted))
        assert response.status_code == 200, response.text
        yield client
