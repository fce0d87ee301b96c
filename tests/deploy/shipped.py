"""What is shipped for those who watch: the alert rules and the dashboard, as they stand in deploy/."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import promql_parser
from ruamel.yaml import YAML

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
ELSEWHERE = {"up", "ALERTS"}
"""Metrics that Prometheus makes itself."""
LAZY = {"temporal_workflow_task_execution_failed_total"}
"""Metrics of the SDK that are there from the first failure on."""


@cache
def rules() -> list[dict[str, Any]]:
    """The alert rules."""
    groups = YAML(typ="safe").load(DEPLOY / "prometheus" / "alerts.yml")["groups"]
    return [rule for group in groups for rule in group["rules"]]


@cache
def dashboard() -> dict[str, Any]:
    """The dashboard."""
    return json.loads((DEPLOY / "grafana" / "dashboards" / "mentorship.json").read_text())


def panels() -> Iterator[dict[str, Any]]:
    """The panels that show something."""
    yield from (panel for panel in dashboard()["panels"] if panel["type"] != "row")


def expressions() -> list[str]:
    """Every expression of rules and dashboard."""
    shown = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [rule["expr"] for rule in rules()] + [expr.replace("$__rate_interval", "5m") for expr in shown]


def selected(expression: str) -> set[str]:
    """The metrics that an expression names."""
    found: set[str] = set()

    def look(node: Any) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            found.add(str(node.name))
        elif isinstance(node, promql_parser.MatrixSelector):
            look(node.vector_selector)
        for part in ("lhs", "rhs", "expr"):
            if (below := getattr(node, part, None)) is not None:
                look(below)
        for below in getattr(node, "args", ()) or ():
            look(below)

    look(promql_parser.parse(expression))
    return found


def metrics_named() -> set[str]:
    """Metrics of ours and of Temporal's SDK that rules and dashboard name."""
    return {name for expression in expressions() for name in selected(expression)} - ELSEWHERE
