"""The reference of the files' keys: whole, and true."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel
from ruamel.yaml import YAML

from program.durations import UNITS_NEEDED
from program.forms import Form, Question
from program.models import Cohort, Program
from rehearsal.behaviour import Behaviour
from tools.scripts.file_keys import keys_of

FILES: tuple[type[BaseModel], ...] = (Program, Cohort, Form, Behaviour)


@pytest.mark.parametrize("model", FILES)
def test_every_key_has_a_kind_and_a_meaning(model: type[BaseModel]) -> None:
    rows = list(keys_of(model))
    assert set(model.model_fields) <= {key for key, *_ in rows}
    assert [key for key, kind, _, meaning in rows if not kind or not meaning] == []
    assert [key for key, _, _, meaning in rows if not meaning.endswith((".", ")"))] == []
    assert len({key for key, *_ in rows}) == len(rows)


def test_the_defaults_that_the_reference_shows_are_the_defaults() -> None:
    """Written into a file, they make the program that is made where they are left out."""
    document: dict[str, Any] = {"program": "x", "title": "x"}
    for key, _, default, _ in keys_of(Program):
        if not default.startswith("`") or key.startswith("matching."):
            continue  # a program has no matching by default, and in a list there are no defaults
        *above, last = key.split(".")
        here = document
        for word in above:
            here = here.setdefault(word, {})
        here[last] = YAML(typ="safe").load(default.strip("`"))
    written = Program.model_validate(document, context={UNITS_NEEDED: True})
    assert written == Program(program="x", title="x")
    assert written.phases.closure.winding_down[0].offset == -28


def test_a_key_without_a_meaning_is_an_error() -> None:
    class Wordless(Question):
        more: str = ""

    with pytest.raises(LookupError, match="Wordless has fields without a docstring: more"):
        list(keys_of(Wordless))
