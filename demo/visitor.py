"""A simulated person at the pages: opens the link that stood in a mail and posts the form behind it, over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email import message_from_bytes, policy

import httpx

from demo.pages import forms_on
from operations.forms.parse import typed_of
from program.forms import Form
from program.goals import GOAL_ID
from rehearsal.people import ReceivedRequest, Reply

LINK = re.compile(r"https?://[^\s<>\")]+/f/([A-Za-z0-9_.\-]+)(\?[^\s<>\")]*)?")


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

    async def open(self, token: str) -> str:
        """Read the page of a request. Raises Turned if it isn't there."""
        page = await self.client.get(f"/f/{token}")
        if page.status_code != 200:
            raise Turned(f"{page.status_code} for a form")
        return page.text

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
