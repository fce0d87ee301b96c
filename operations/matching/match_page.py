"""A matched pool as one page: self-contained, printable, readable by a screen reader, light and dark.

It holds names, for the coordinator who made it. It loads nothing and runs no script.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mail.compiled_templates import page_environment
from operations.matching.board import Board

TEMPLATES = Path(__file__).parents[2] / "templates" / "matching"


def page(board: Board, names: Mapping[str, str]) -> str:
    """The board as HTML. `names`: id to name."""
    template = page_environment(TEMPLATES).get_template("page.html")
    return template.render(board=board, name=lambda id_: names.get(id_, id_))
