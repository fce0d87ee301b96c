"""A simulated person at the pages: opens the link that stood in a mail and posts the form behind it, over HTTP."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from email import message_from_bytes, policy

import httpx

from demo.pages import forms_on
from operations.applications.apply import QUICKEST
from operations.forms.parse import typed_of
from program.forms import Form
from program.goals import GOAL_ID
from rehearsal.people import ReceivedRequest, Reply

LINK = re.compile(r"https?://[^\s<>\")]+/f/([A-Za-z0-9_.\-]+)(\?[^\s<>\")]*)?")


READS = QUICKEST.total_seconds() + 0.2
"""Real seconds that a person takes at least over the page of a call."""


class Turned(RuntimeError):
    """A page did not take what a person sent; says the status and the path's kind, never the token."""


def tokens_in(raw: bytes) -> list[str]:
    """The tokens of the form links in a mail, as its reader finds them in the text, each once."""
    message = message_from_bytes(raw, policy=policy.default)
    part = message.get_body(("plain",))
    text = part.get_content() if part is not None else ""
    return list(dict.fromkeys(match[1] for match in LINK.finditer(text)))


def public_id(token: str) -> str:
    """The part of a token that names the request."""
    return token.split(".", 1)[0]


class Visitor:
    """One browser that all simulated people share."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self._calls: dict[tuple[str, str], tuple[float, str]] = {}

    async def open(self, token: str) -> str:
        """Read the page of a request. Raises Turned if it isn't there."""
        page = await self.client.get(f"/f/{token}")
        if page.status_code != 200:
            raise Turned(f"{page.status_code} for a form")
        return page.text

    async def _page(self, path: str) -> str:
        """A page of an open call. Raises Turned if it isn't there."""
        page = await self.client.get(path)
        if page.status_code != 200:
            raise Turned(f"{page.status_code} for a page of an open call")
        return page.text

    async def apply(self, cohort: str, role: str, typed: Mapping[str, Sequence[str]]) -> bool:
        """Fill in and send the page of an open call, and no faster than people read it; False where the call takes
        nothing now."""
        opened, page = self._calls.get((cohort, role), (0.0, ""))
        if not page:
            page = await self._page(f"/apply/{cohort}?as={role}")
            opened = time.monotonic()
        forms = forms_on(page)
        if not forms:
            return False
        self._calls[cohort, role] = opened, page
        await asyncio.sleep(max(opened + READS - time.monotonic(), 0))
        sent = await self.client.post(f"/apply/{cohort}", data=forms[0].filled(typed))
        if sent.status_code == 303:
            return True
        if sent.status_code == 200:
            return False
        raise Turned(f"{sent.status_code} after sending an application: {_said(sent.text)}")

    async def apply_as_a_robot(self, cohort: str, role: str, typed: Mapping[str, Sequence[str]]) -> bool:
        """Fill in every field that is there, and send it at once; whether the page took it."""
        [form] = forms_on(await self._page(f"/apply/{cohort}?as={role}"))
        everywhere = {name: ["https://example.org"] for name, values in form.fields.items() if values == [""]}
        sent = await self.client.post(f"/apply/{cohort}", data=form.filled(everywhere | dict(typed)))
        return sent.status_code == 303

    async def act_on_application(self, path: str, act: str) -> bool:
        """Press a button of the own page of an application; False where it is not there."""
        page = await self._page(path)
        form = next((form for form in forms_on(page) if ("act", act) in form.buttons), None)
        if form is None:
            return False
        sent = await self.client.post(path, data=form.filled({"act": [act]}))
        if sent.status_code != 303:
            raise Turned(f"{sent.status_code} after pressing {act} of an application")
        return True

    async def wish(self, path: str, wanted: Mapping[str, Sequence[str]], picks: int, at_most: int) -> int | None:
        """Rank those who are wanted and shown (`wish` and `take` to ids of applications), or else the first `picks`
        who are shown; the number of wishes, None where nothing can be wished for."""
        forms = forms_on(await self._page(f"{path}/wishes"))
        if not forms:
            return None
        typed: dict[str, list[str]] = {}
        for side, ids in wanted.items():
            shown = [name for name in forms[0].fields if name.startswith(f"{side}.")]
            chosen = [f"{side}.{id_}" for id_ in ids if f"{side}.{id_}" in shown][:at_most]
            chosen = chosen or shown[: min(picks, at_most)]
            typed |= {name: [str(rank)] for rank, name in enumerate(chosen, 1)}
        sent = await self.client.post(f"{path}/wishes", data=forms[0].filled(typed))
        if sent.status_code != 303:
            raise Turned(f"{sent.status_code} after sending wishes")
        return len(typed)

    async def answer(self, token: str, asked: ReceivedRequest, form: Form, reply: Reply, name: str) -> bool:
        """Fill in and send the form of a request as this reply says; False where there is nothing to fill in."""
        if asked.ask == "agreement":
            return await self._agree(token, asked, form, reply, name)
        questions = form.questions_for(asked.role, asked.format, asked.early)
        page = await self.open(token)
        typed = typed_of(questions, reply.answers)
        return await self._send(token, page, typed | _of_all_goals(page, typed))

    async def _agree(self, token: str, asked: ReceivedRequest, form: Form, reply: Reply, name: str) -> bool:
        page = await self.open(token)
        signature = {
            question.id: [name]
            for question in form.questions_for(asked.role, asked.format)
            if question.type == "sign"
        }
        questions = form.questions_for(asked.role, asked.format)
        table = next((form for form in forms_on(page) if form.fields.get("act") == ["sign"]), None)
        if table is not None and reply.act == "sign":
            typed = {field: [name] for field in table.fields if field in signature}
            return await self._send(token, page, typed or signature, sign=True)
        if table is not None:
            changed = await self.client.get(f"/f/{token}?change=1")
            stands = {name for form in forms_on(changed.text) for name, values in form.fields.items() if any(values)}
            # What a partner may not see is not filled in, and has to be answered again.
            own = {n: v for n, v in typed_of(questions, reply.answers).items() if n not in stands}
            typed = own | {"a_last": [f"A walk, as we said for version {asked.number}."]}
            return await self._send(token, changed.text, typed | signature)
        return await self._send(token, page, typed_of(questions, reply.answers) | signature)

    async def _send(self, token: str, page: str, typed: dict[str, list[str]], *, sign: bool = False) -> bool:
        forms = [form for form in forms_on(page) if (form.fields.get("act") == ["sign"]) == sign]
        if not forms:
            return False
        sent = await self.client.post(f"/f/{token}", data=forms[0].filled(typed))
        if sent.status_code == 303:
            return True
        if sent.status_code == 200:
            return False
        raise Turned(f"{sent.status_code} after sending a form: {_said(sent.text)}")


def _of_all_goals(page: str, typed: dict[str, list[str]]) -> dict[str, list[str]]:
    """What is said of the first goal, said of every goal that stands on the page as well."""
    found: dict[str, list[str]] = {}
    for name in (name for form in forms_on(page) for name in form.fields if name.endswith(f".{GOAL_ID}")):
        group, index, _ = name.split(".")
        for field, values in typed.items():
            if field.startswith(f"{group}.0.") and f"{group}.{index}.{field.split('.')[2]}" not in typed:
                found[f"{group}.{index}.{field.split('.')[2]}"] = values
    return found


def _said(page: str) -> str:
    """The faults that a page names, without what was typed."""
    labels: Iterable[str] = re.findall(r'<a href="#[^"]*">([^<]*)</a>', page)
    return "; ".join(labels)
