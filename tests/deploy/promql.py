"""Evaluates the PromQL that our rules use, over what a process shows at one moment and showed some time before.

So small a part of the language that it can be read in a minute; what is outside of it is refused, so that a rule
which needs more is noticed. Parsing is done by Prometheus' own grammar (promql-parser).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import promql_parser
from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]
Number = float | Vector

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt, "<": operator.lt, "==": operator.eq, ">=": operator.ge, "<=": operator.le, "!=": operator.ne,
}  # fmt: skip
ARITHMETIC: dict[str, Callable[[float, float], float]] = {"*": operator.mul, "+": operator.add, "-": operator.sub}
AGGREGATES: dict[str, Callable[[Iterable[float]], float]] = {"sum": sum, "max": max, "min": min}


@dataclass(frozen=True, slots=True)
class Scraped:
    """What Prometheus has read at one moment: name and labels to the number."""

    samples: dict[tuple[str, Labels], float]

    @classmethod
    def of(cls, text: bytes, **target: str) -> Scraped:
        """What a process showed, with the labels of its target (job, instance)."""
        families = text_string_to_metric_families(text.decode())
        found = {
            (sample.name, frozenset((sample.labels | target).items())): sample.value
            for family in families
            for sample in family.samples
        }
        return cls(found | {("up", frozenset(target.items())): 1.0})

    def __or__(self, other: Scraped) -> Scraped:
        return Scraped(self.samples | other.samples)

    def select(self, selector: Any) -> Vector:
        """The series that a selector names."""
        matchers = selector.matchers.matchers
        return {
            labels: value
            for (name, labels), value in self.samples.items()
            if name == selector.name and all(_matches(one, dict(labels).get(one.name, "")) for one in matchers)
        }


def fires(expression: str, now: Scraped, before: Scraped) -> Vector:
    """The series for which a rule's expression holds; none where it does not fire."""
    found = _of(promql_parser.parse(expression), now, before)
    assert isinstance(found, dict), f"{expression} is a number"
    return found


def _matches(matcher: Any, value: str) -> bool:
    kind = str(matcher.op).rpartition(".")[2]
    if kind == "Equal":
        return value == matcher.value
    assert kind == "Re", f"no such matcher here: {kind}"
    return re.fullmatch(matcher.value, value) is not None


def _of(node: Any, now: Scraped, before: Scraped) -> Number:
    match node:
        case promql_parser.NumberLiteral():
            return node.val
        case promql_parser.ParenExpr():
            return _of(node.expr, now, before)
        case promql_parser.VectorSelector():
            return now.select(node)
        case promql_parser.Call() if node.func.name == "absent":
            return {} if _of(node.args[0], now, before) else {frozenset(): 1.0}
        case promql_parser.Call() if node.func.name == "increase":
            selector = node.args[0].vector_selector
            earlier = before.select(selector)
            # As in Prometheus: what was not there before has not increased.
            return {key: value - earlier[key] for key, value in now.select(selector).items() if key in earlier}
        case promql_parser.AggregateExpr():
            return _aggregate(node, _of(node.expr, now, before))
        case promql_parser.BinaryExpr():
            return _binary(str(node.op), _of(node.lhs, now, before), _of(node.rhs, now, before))
    raise NotImplementedError(f"{type(node).__name__}: {node.prettify()}")


def _aggregate(node: Any, vector: Number) -> Vector:
    assert isinstance(vector, dict)
    kept = set(node.modifier.labels) if node.modifier else set[str]()
    groups: dict[Labels, list[float]] = {}
    for labels, value in vector.items():
        groups.setdefault(frozenset(pair for pair in labels if pair[0] in kept), []).append(value)
    return {labels: AGGREGATES[str(node.op)](values) for labels, values in groups.items()}


def _binary(sign: str, left: Number, right: Number) -> Number:
    if isinstance(left, float) and isinstance(right, float):
        return ARITHMETIC[sign](left, right)
    assert isinstance(left, dict)
    assert isinstance(right, float), "rules compare with numbers"
    if sign in COMPARISONS:
        return {labels: value for labels, value in left.items() if COMPARISONS[sign](value, right)}
    return {labels: ARITHMETIC[sign](value, right) for labels, value in left.items()}
