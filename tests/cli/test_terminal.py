"""What people wrote reaches a terminal as text and never as a command to it (CWE-150)."""

from __future__ import annotations

import csv
import io
import json

import pytest

from cli.console import say_json, say_text, text
from operations.spreadsheet import as_csv, as_xlsx
from program.text import CONTROLS

NASTY = {
    "escape": "Ada\x1b[2J\x1b]0;owned\x07",
    "C1 introducer": "Ada\x9b2J",
    "C1 command": "Ada\x90q\x9c",
    "delete": "Ada\x7f\x08\x08",
    "carriage return": "Ada\rBob",
    "override": "Ada\u202egnp.exe",
    "isolate": "Ada\u2066x\u2069",
    "line separator": "Ada\u2028x",
    "half a pair": "Ada\ud800",
}


@pytest.mark.parametrize("name", NASTY.values(), ids=NASTY)
def test_json_escapes_what_a_terminal_would_act_on_and_keeps_it(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    value = {"name": name, name: ["Zoë\n\t", "李"]}
    say_json(value)
    said = capsys.readouterr().out
    assert not CONTROLS.search(said)
    assert "Zoë" in said
    assert "李" in said
    assert json.loads(said) == value


@pytest.mark.parametrize("name", NASTY.values(), ids=NASTY)
def test_tables_and_texts_leave_it_out(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    table = as_csv(("name", "note"), [(name, "two\nlines"), ("\r=1+1", "\x1b@x")])
    rows = list(csv.reader(io.StringIO(table.removeprefix("\ufeff"), newline=""), delimiter=";"))
    assert rows[1] == [CONTROLS.sub("", name), "two\nlines"]
    assert rows[2] == ["'=1+1", "'@x"], "what is left must be no formula"
    say_text(f"Dear {name},\n")
    assert capsys.readouterr().out == f"Dear {CONTROLS.sub('', name)},\n"
    assert not CONTROLS.search(text(name))
    assert as_xlsx("names", ("name",), [(name,)]).startswith(b"PK")
