"""Whatever is sent to whatever route: nothing breaks, nothing comes back as it was written, reading changes nothing.

Routes are taken from the application, so one that is added is tried as well. The examples are always the same ones.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from starlette.routing import Route

from operations.audit import COMMAND_LINE
from operations.reports import voices
from store.people.address_changes import SIDES
from testing.environments.open_call import applied, open_call_of
from testing.environments.web_env import BASE_URL, COHORT, WebEnv, filled_in, send, wants, web_env_of
from tests.web.test_certificate import certified
from tests.web.test_joint_sheet import shared
from web.security import HEADERS

LOOKS = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""Always the same, and not made smaller on failure: what went before may have changed the rows."""

MARK = "zq9"
ATTACKS = (
    f"<{MARK}>",
    f"\"{MARK}='",
    f"'{MARK}\"",
    f"</textarea><{MARK} onload=alert(1)>",
    f"{{{{ '{MARK}'.__class__ }}}}<{MARK}",
    f"\r\nSet-Cookie: {MARK}=1\r\n\r\n<{MARK}>",
    f"//{MARK}.example/",
    f"javascript:{MARK}",
    "../../../etc/passwd",
    "%00%0d%0a",
    "\x00",
    "\ud7ff\u2028\u202e",
    "9" * 400,
    "true",
    "",
)
LIVE = re.compile(f'<{MARK}|["\']{MARK}["\'=]|href="(?:https?:)?//{MARK}|(?:href|action)="javascript:')
"""An attack that came back as more than text."""
FIELDS = ("more", "save", "change", "state", "act", "version", "submission_id", "q", "name", "List-Unsubscribe",
          "email", "say", "opened", "role", "homepage", "as")  # fmt: skip
"""Names that a page may know beside those of its questions."""
PLACES = {"act": "pause", "cohort": COHORT, "mentorship": "pair", "nth": "0"}
"""What stands in a path beside the token."""
COORDINATORS = re.compile(r"/c(/|$)")
"""Pages behind a sign-in have tests like these of their own: `tests.coordinator.test_fuzz`."""
METHODS = ("POST", "POST", "POST", "POST", "GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "PROPFIND")
READING = ("GET", "HEAD", "OPTIONS")

Pairs = st.SearchStrategy[list[tuple[str, str]]]
text = st.one_of(st.sampled_from(ATTACKS), st.text(max_size=40))
latin = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\x00"), max_size=40)
headers = st.dictionaries(
    st.sampled_from(["accept", "accept-language", "cookie", "host", "if-none-match", "range", "referer", "user-agent",
                     "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"]),
    st.one_of(latin, st.sampled_from([f"<{MARK}>", "text/html", "same-origin", "null", f"{MARK}.example", "*/*"])),
    max_size=4,
)  # fmt: skip
kinds = st.sampled_from(
    [
        *["application/x-www-form-urlencoded"] * 6,
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "application/json",
        "text/plain; charset=utf-7",
        f"<{MARK}>",
        "",
    ]
)


@dataclass
class Doors:
    """Every route of the pages, and real tokens and fields beside invented ones to put into it."""

    web_env: WebEnv
    tokens: list[str]
    fields: list[str]
    rows: dict[str, list[tuple[Any, ...]]]
    """As they are before anything is tried."""
    watching: sqlite3.Connection
    voice: str
    """Id of the words that somebody is asked about."""
    routes: list[Route] = field(init=False)
    opening: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Path of a route to the tokens that open something there."""
    told: list[Any] = field(init=False)

    def __post_init__(self) -> None:
        self.told = list(self.web_env.told)
        self.version = self._version()
        routes = [route for route in self.web_env.app.routes if isinstance(route, Route)]
        self.routes = [route for route in routes if not COORDINATORS.match(route.path)]
        behind_links = [route for route in self.routes if "{" in route.path]
        self.route = st.sampled_from([*self.routes, *behind_links * 4])
        fields = st.sampled_from(self.fields)
        self.pairs = st.lists(st.tuples(st.one_of(fields, fields, text), text), max_size=8)

    def _version(self) -> int:
        return self.watching.execute("PRAGMA data_version").fetchone()[0]

    @property
    def untouched(self) -> bool:
        """Whether nobody has committed anything: quicker to ask than to read all rows."""
        return self._version() == self.version

    def filled(self, path: str, token: str) -> str:
        return re.sub(r"\{([^}]+)\}", lambda found: (PLACES | {"voice": self.voice}).get(found[1], token), path)

    def path(self, draw: Any) -> str:
        """A path of one of the routes, now and then with something behind it."""
        route = draw(self.route)
        good = st.sampled_from(self.opening[route.path])
        token = st.one_of(good, good, good, good.map(lambda one: one[:-1]), st.sampled_from(self.tokens), text)
        path = self.filled(route.path, quote(draw(token), safe=""))
        return path + draw(st.sampled_from([*[""] * 12, "/", f"/%3C{MARK}%3E", "//", "/..", f"/{MARK}/thanks"]))

    async def try_keys(self) -> None:
        """Find out what each token opens. A route that none opens would be tried with unknown links only."""
        async with self.web_env.client() as client:
            for route in self.routes:
                tokens = self.tokens if "{" in route.path else [""]
                if "GET" not in (route.methods or ()):
                    self.opening[route.path] = tokens
                    continue
                answers = [(await client.get(self.filled(route.path, token))).status_code for token in tokens]
                self.opening[route.path] = [
                    token for token, status in zip(tokens, answers, strict=True) if status == 200
                ]
                assert self.opening[route.path], f"add a token that opens {route.path} to the tokens of these tests"


def body_of(draw: Any, pairs: Pairs) -> tuple[bytes, str]:
    """A body as a form sends it, or as nobody would; its content type."""
    kind = draw(kinds)
    if kind.endswith("urlencoded"):
        return str(httpx.QueryParams(draw(pairs))).encode(), kind
    if "boundary" in kind:
        parts = [
            f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in draw(pairs)
        ]
        return ("".join(parts) + draw(st.sampled_from(["--x--\r\n", "--x", ""]))).encode("utf-8", "replace"), kind
    return draw(st.binary(max_size=200)), kind


@pytest.fixture
async def doors(web_env: WebEnv, tmp_path: Path) -> AsyncIterator[Doors]:
    """The pages of people with open, answered, closed and half-filled forms. No limits: this is one eager visitor."""
    unlimited = web_env_of(web_env.database, requests_per_minute=0, requests_per_link=0)
    asks = [
        ("invitation", "ada"),
        ("agreement", "ada"),
        ("check_in", "ada"),
        ("fit_check", "mia"),
        ("closure", "mia"),
    ]
    paths = [await unlimited.ask(*ask) for ask in (*asks, ("are_you_there", "ada"), ("check_in", "mia"))]
    async with unlimited.client() as client:
        away: dict[str, Any] = {"p_away.0.from": "2027-05-03", "p_away.0.to": "2027-05-16"}
        await send(client, paths[-1], await filled_in(unlimited, paths[-1], **away))
        await client.post(paths[1], data={"a_purpose": "Half a tho", "save": "1"})
    await shared(unlimited, "ada", "mia")
    await certified(unlimited, c_quote="with_name")
    await voices.ask(
        unlimited.database,
        COHORT,
        "ada",
        "It was good.",
        ["report"],
        ["mia"],
        "coco",
        unlimited.now,
        proof=COMMAND_LINE,
    )
    [(voice, _)] = await voices.listed(unlimited.database, COHORT, unlimited.now)
    tokens = [path.removeprefix("/f/") for path in paths]
    asked = {question.id for path in paths for question in (await unlimited.requested(path)).questions}
    tokens += [unlimited.links.stop_token("ben", 1), unlimited.links.stop_token("ada", 7)]
    tokens += [unlimited.links.place_token("ada", 1), unlimited.links.place_token("ben", 7)]
    change = await wants(unlimited, "ada", "ada@new.example.org")
    tokens += [unlimited.links.address_token(change, side) for side in SIDES]
    await open_call_of(unlimited.database, COHORT, unlimited.now)
    for name in ("fay", "gus"):
        own = await applied(unlimited.database, unlimited.links, name, f"{name}@example.org", COHORT, unlimited.now)
        tokens.append(own.removeprefix("/application/"))
    with closing(sqlite3.connect(tmp_path / "world.db")) as watching:
        found = Doors(unlimited, tokens, [*sorted(asked), *FIELDS], await unlimited.snapshot(), watching, voice.id)
        await found.try_keys()
        yield found


def judged(answer: httpx.Response) -> None:
    """What every answer promises, whatever was asked."""
    assert answer.status_code < 500, answer.status_code
    for name, value in HEADERS.items():
        assert answer.headers.get_list(name) == [value], name
    assert answer.headers.get_list("cache-control") == ["no-store"] or "immutable" in answer.headers["cache-control"]
    assert "set-cookie" not in answer.headers
    if "location" in answer.headers:
        assert re.match(r"/(f|stop|me|address|apply|application)/", answer.headers["location"]), answer.headers[
            "location"
        ]
        assert MARK not in answer.headers["location"].partition("/thanks")[0].partition("?")[0]
    assert MARK not in repr([pair for pair in answer.headers.raw if pair[0].lower() != b"location"])
    live = LIVE.search(answer.text)
    assert live is None, live and answer.text[max(live.start() - 60, 0) : live.end() + 20]


async def ask(doors: Doors, draw: Any, method: str) -> httpx.Response:
    """One request with everything drawn: path, query, headers and, where it has one, the body."""
    asked = {name: value.encode("latin-1") for name, value in draw(headers).items()}
    content = None
    if method not in READING:
        content, kind = body_of(draw, doors.pairs)
        asked["content-type"] = kind.encode()
    transport = httpx.ASGITransport(doors.web_env.app)
    request = httpx.Request(
        method, BASE_URL + doors.path(draw), params=draw(doors.pairs), headers=asked, content=content
    )  # fmt: skip
    # No client: it would take offence at some answers before we can.
    answer = await transport.handle_async_request(request)
    await answer.aread()
    return answer


@LOOKS
@given(data=st.data())
async def test_reading_breaks_nothing_reflects_nothing_and_changes_nothing(doors: Doors, data: st.DataObject) -> None:
    judged(await ask(doors, data.draw, data.draw(st.sampled_from(READING))))
    assert doors.untouched or await doors.web_env.snapshot() == doors.rows
    assert doors.web_env.told == doors.told


@LOOKS
@given(data=st.data())
async def test_writing_breaks_nothing_and_reflects_nothing(doors: Doors, data: st.DataObject) -> None:
    judged(await ask(doors, data.draw, data.draw(st.sampled_from(METHODS))))


async def test_no_field_of_any_form_comes_back_as_more_than_text(doors: Doors) -> None:
    """All attacks in all fields at once, in the query and in a form, behind every link; addresses by themselves."""
    links = {(path, token) for path, tokens in doors.opening.items() for token in tokens if token}
    marked = [one for one in ATTACKS if MARK in one]
    transport = httpx.ASGITransport(doors.web_env.app)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL, follow_redirects=False) as client:
        for attack in (" ".join(marked), *(one for one in marked if one.startswith(("//", "javascript")))):
            typed = dict.fromkeys(doors.fields, attack) | {"act": "save"}
            del typed["save"], typed["more"]
            for path in sorted(doors.filled(route, token) for route, token in links):
                judged(await client.get(path, params=typed | {"change": "1"}))
                judged(await client.post(path, data=typed))
                judged(await client.get(path))
