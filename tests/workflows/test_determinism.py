"""The check of what runs in workflows: it finds every bad sample, and nothing in the code."""

from __future__ import annotations

import ast

import pytest

from tools.scripts.determinism import BUILTINS, MODULES, NAMES, check, findings

BAD = [
    ("from datetime import datetime\nmoment = datetime.now(UTC)", 2, "uses `datetime.datetime.now`: time comes in"),
    ("import datetime as dt\ntoday = dt.date.today()", 2, "uses `datetime.date.today`: time comes in"),
    ("field(default_factory=datetime.datetime.utcnow)", 1, "uses `datetime.datetime.utcnow`"),
    ("import time\ntime.sleep(1)", 1, "imports `time`: time comes in as an argument"),
    ("from time import monotonic", 1, "imports `time`"),
    ("from random import shuffle", 1, "imports `random`: derive ids from keys"),
    ("import uuid\nkey = uuid.uuid4()", 1, "imports `uuid`"),
    ("order = hash(name) % 7", 1, "calls `hash`: differs between processes"),
    ("key = id(state)", 1, "calls `id`"),
    ("text = open('notes.txt').read()", 1, "calls `open`: leave it to an activity"),
    ("print(state)", 1, "calls `print`"),
    ("from pathlib import Path", 1, "imports `pathlib`: leave it to an activity"),
    ("import os\nzone = os.environ['TZ']", 1, "imports `os`"),
    ("import logging", 1, "imports `logging`: leave it to an activity and take its result; a workflow logs with"),
    ("from store.database import Database", 1, "imports `store.database`"),
    (
        "import activities.delivery.deliver",
        1,
        "imports `activities.delivery.deliver`: `activities.delivery.deliver` is not known",
    ),
    ("import leftpad", 1, "imports `leftpad`: `leftpad` is not known to be the same"),
    ("import threading", 1, "imports `threading`: workflows run in the SDK's event loop"),
    ("from concurrent.futures import ThreadPoolExecutor", 1, "imports `concurrent.futures`"),
    ("import asyncio\nawait asyncio.to_thread(work)", 2, "uses `asyncio.to_thread`: workflows run"),
    ("from asyncio import to_thread", 1, "imports `asyncio.to_thread`"),
    ("await loop.run_in_executor(None, work)", 1, "uses `run_in_executor`"),
    ("import asyncio\ndone, left = await asyncio.wait(tasks)", 2, "uses `asyncio.wait`: `workflow.wait`"),
    ("import asyncio\nfor each in asyncio.as_completed(tasks): pass", 2, "uses `asyncio.as_completed`"),
    ("turns = 0\ndef turn():\n    global turns\n    turns += 1", 3, "changes the module's `turns`: all workflows"),
    ("known = {}\ndef learn(key):\n    known[key] = 1", 3, "changes the module's `known`"),
    ("known: list[str] = []\ndef learn(key):\n    known.append(key)", 3, "changes the module's `known`"),
    ("known = defaultdict(int)\ndef learn(key):\n    del known[key]", 3, "changes the module's `known`"),
    ("for each in {1, 2}:\n    tell(each)", 1, "iterates over the set `{1, 2}`: the order of a set differs"),
    ("people = set(names)\nfor each in people:\n    tell(each)", 2, "iterates over the set `people`"),
    ("def tell(people: set[str] | None):\n    return [each for each in people]", 2, "iterates over the set `people`"),
    ("class State:\n    seen: frozenset[str]\ndef f(s):\n    for each in s.seen: tell(each)", 4, "the set `s.seen`"),
    ("def active() -> set[str]: ...\ntell(list(active()))", 2, "`list` takes in order the set `active()`"),
    ("told = ', '.join({*names})", 1, "`join` takes in order the set"),
    ("for key in before.keys() - after.keys(): tell(key)", 1, "iterates over the set `before.keys() - after.keys()`"),
    ("for each in {1} if first else (): tell(each)", 1, "iterates over the set"),
    ("first = next(iter({1, 2}))", 1, "`iter` takes in order the set"),
    ("one, other = {1, 2}", 1, "unpacks the set"),
    ("tell(*{1, 2})", 1, "unpacks the set"),
    ("tell({each: 1 for each in {1, 2}})", 1, "iterates over the set"),
    ("people = {1, 2}\ntell(people.pop())", 2, "pops from the set `people`"),
    ("people = {1, 2}.union(others)\ntell(tuple(people))", 2, "`tuple` takes in order the set `people`"),
    ("first = min({'b', 'a'}, key=len)", 1, "`min` takes in order the set"),
]
"""Source, the line of the finding, and the beginning of what is said about it or a part of it."""

GOOD = [
    "from datetime import date, datetime, time\nnoon = datetime.combine(day, time(12))",
    "async def run(self):\n    return workflow.now(), workflow.uuid4(), workflow.random()",
    "for each in sorted({1, 2}):\n    tell(each)",
    "people = {1, 2}\ntell(len(people), max(people), 3 in people, any(each > 1 for each in people))",
    "people = {1, 2}\nothers = {each + 1 for each in people} | people\ntell(sorted(others))",
    "people = [*names]\nfor each in people:\n    tell(each)",
    "people = set(names)\ndef f(people: list[str]):\n    return [each for each in people]",
    "class A:\n    days: frozenset[str]\nclass B:\n    days: list[str]\ndef f(b):\n    return list(b.days)",
    "known = {'a': 1}\ndef f():\n    known = {}\n    known['b'] = 2\n    return known",
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pathlib import Path",
    "def f(id: str, print: object):\n    return id(print)",
    "[only] = {1}",
]


def test_nothing_in_workflows_is_different_in_a_replay() -> None:
    found = findings()
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize(("source", "line", "said"), BAD)
def test_a_bad_line_is_found(source: str, line: int, said: str) -> None:
    found = [str(finding) for finding in check(ast.parse(source), "a.py")]
    assert any(finding.startswith(f"a.py:{line}: ") and said in finding for finding in found), found


@pytest.mark.parametrize("source", GOOD)
def test_a_good_line_is_not_found(source: str) -> None:
    assert check(ast.parse(source), "a.py") == []


@pytest.mark.parametrize("name", [*MODULES, *NAMES])
def test_each_forbidden_name_is_found(name: str) -> None:
    assert check(ast.parse(f"import {name.partition('.')[0]}\n{name}"), "a.py")


@pytest.mark.parametrize("name", BUILTINS)
def test_the_loader_may_do_what_workflows_may_not(name: str) -> None:
    source = ast.parse(f"import io\n{name}(file)")
    assert {finding.line for finding in check(source, "a.py")} == {1, 2}
    assert check(source, "a.py", only_loads=True) == []
    assert check(ast.parse("import random"), "a.py", only_loads=True)
