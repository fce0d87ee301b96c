"""Code of templates is kept by what they hold, and so many of them at most."""

from __future__ import annotations

import pytest
from jinja2 import DictLoader, Environment

from mail import compiled_templates
from mail.compiled_templates import CompiledTemplates


def test_another_text_of_the_same_name_is_another_template() -> None:
    kept = CompiledTemplates()
    for text in ("Hello {{ name }}", "Dear {{ name }}", "Hello {{ name }}"):
        environment = Environment(loader=DictLoader({"greeting": text}), bytecode_cache=kept)
        assert environment.get_template("greeting").render(name="Ada") == text.replace("{{ name }}", "Ada")


def test_each_text_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = CompiledTemplates()
    compiled: list[str] = []
    compile_ = Environment.compile
    monkeypatch.setattr(Environment, "compile", lambda *given: compiled.append(given[1]) or compile_(*given))
    for text in ("one", "two", "one", "two"):
        Environment(loader=DictLoader({"it": text}), bytecode_cache=kept).get_template("it")
    assert compiled == ["one", "two"]


def test_so_many_are_kept_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_templates, "AT_MOST", 3)
    kept = CompiledTemplates()
    for n in range(10):
        environment = Environment(loader=DictLoader({"it": f"number {n}"}), bytecode_cache=kept)
        assert environment.get_template("it").render() == f"number {n}"
        assert len(kept) <= 3
