"""The mail templates of one cohort, which come before those of the installation, and what they may do.

They are written in a browser and rendered by workers. They may say anything, and compute nothing: no macro, no
arithmetic, no loop but over the values of a mail, so that no template can take long or grow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from jinja2 import Environment, nodes

BYTES_AT_MOST = 20_000
"""Of one template; the longest that ships has a few thousand."""
NAMED = re.compile(r"([a-z]{2,3}(?:-[A-Z]{2})?)/([a-z_]{1,40})")
"""How a template of a cohort is named: language and mail, such as `en/check_in`."""

_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.CondExpr, nodes.Name, nodes.Getattr,
    nodes.Getitem, nodes.Const, nodes.Tuple, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Sub,
    nodes.AssignBlock, nodes.Call, nodes.Filter,
)  # fmt: skip
"""What the templates that ship are made of, except the macros of `words.md`."""
_FILTERS = frozenset({"length", "capitalize"})
_LOOPS = 2
"""So many loops may stand in each other."""
_DEEP = 30
"""So deep may anything stand in each other; the templates that ship have a quarter of it."""
TOO_DEEP = "too much stands one within the other here; write it in a simpler way"


@dataclass(frozen=True, slots=True)
class OwnTemplates:
    """Templates by `language/name`. Two are equal if they say the same."""

    digest: str = ""
    """The hash of the texts; empty where there are none."""
    texts: Mapping[str, str] = field(default_factory=dict[str, str], repr=False, compare=False)

    @staticmethod
    def of(texts: Mapping[str, str]) -> OwnTemplates:
        """These templates with their digest."""
        if not texts:
            return SHARED
        told = "\x00".join(part for name in sorted(texts) for part in (name, texts[name]))
        return OwnTemplates(sha256(told.encode()).hexdigest(), dict(texts))


SHARED = OwnTemplates()
"""No templates of its own: the cohort has those of the installation."""


def not_allowed(text: str) -> Iterator[tuple[int, str]]:
    """(line, what is wrong) of everything that a template of a cohort may not do. Raises TemplateSyntaxError."""
    try:
        yield from _not_allowed(Environment().parse(text))
    except RecursionError:
        yield 1, TOO_DEEP


def _not_allowed(parsed: nodes.Template) -> Iterator[tuple[int, str]]:
    found = list(_within(parsed))
    too_deep = {id(node) for node, _, loops in found if loops > _LOOPS}
    if deep := [node.lineno for node, depth, _ in found if depth > _DEEP]:
        yield min(deep), TOO_DEEP
        return
    blocks = list(parsed.find_all(nodes.AssignBlock))
    in_blocks = {block.target.name for block in blocks if isinstance(block.target, nodes.Name)}
    for node in parsed.find_all(nodes.Node):
        if isinstance(node, nodes.Call):
            if not _is_shared_words(node):
                yield (
                    node.lineno,
                    "a mail may call nothing but the shared words, such as words.whom(names, format, role)",
                )
        elif isinstance(node, nodes.Filter):
            if node.name not in _FILTERS:
                yield node.lineno, f"a mail may not use the filter {node.name!r}; there are length and capitalize"
        elif isinstance(node, nodes.For):
            if node.recursive or not _is_value(node.iter, in_blocks) or id(node) in too_deep:
                yield node.lineno, "a loop goes over a value of the mail, such as {% for person in partners %}"
        elif not isinstance(node, _ALLOWED):
            yield (
                node.lineno,
                f"a mail may not use {type(node).__name__.lower()}; put values in, and ask with {{% if %}}",
            )
    for block in blocks:
        if any(name.name in in_blocks for part in block.body for name in part.find_all(nodes.Name)):
            yield block.lineno, "a {% set %} may not be made of another"


def _is_shared_words(call: nodes.Call) -> bool:
    named = call.node
    return isinstance(named, nodes.Getattr) and isinstance(named.node, nodes.Name) and named.node.name == "words"


def _is_value(node: nodes.Node, in_blocks: set[str]) -> bool:
    if isinstance(node, nodes.Getattr):
        return _is_value(node.node, in_blocks)
    return isinstance(node, nodes.Name) and node.name not in in_blocks


def _within(node: nodes.Node, deep: int = 1, loops: int = 0) -> Iterator[tuple[nodes.Node, int, int]]:
    """Each node below this one, no deeper than is allowed and one more, with how deep it is and how many loops it
    stands in, itself included."""
    for child in node.iter_child_nodes():
        around = loops + isinstance(child, nodes.For)
        yield child, deep, around
        if deep <= _DEEP:
            yield from _within(child, deep + 1, around)
