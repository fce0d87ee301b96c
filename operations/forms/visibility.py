"""Who may see which answer: one table, asked by pages, commands, exports and mails.

`visible` of a question decides. What participants are told on the form ("who sees it") is checked against this table
in a test. Must never read an answer: it decides by the question alone, so that it decides the same for everybody.
"""

from __future__ import annotations

from typing import Literal

from program.forms import Form, Question, Visible
from program.goals import TITLE

Viewer = Literal["coordinator", "reader", "administrator", "partner"]
"""How somebody looks at a mentorship: as a coordinator or deputy of its cohort, as a reader of figures, as an
administrator of the installation, or as a partner in it."""
Sight = Literal["shown", "totals", "hidden"]
"""`totals`: in totals of at least SMALLEST_TOTAL answers only."""

SMALLEST_TOTAL = 5

AGREEMENT_SHOWN = frozenset({"a_cadence", "a_length", "a_day", "a_time", "a_review", "a_finish", "a_away", "a_goals"})
"""What coordinators see of an agreement beside its status and versions: rhythm, dates, absences, titles of goals."""
CONCERN = frozenset({"p_help", "p_contact", "p_word"})
"""What a concern says on a form: seen by those to whom its task went, and each time it is opened is on the record."""

_TABLE: dict[Visible, dict[Viewer, Sight]] = {
    "coordinator": {"coordinator": "shown", "reader": "hidden", "administrator": "hidden", "partner": "hidden"},
    "pair": {"coordinator": "shown", "reader": "hidden", "administrator": "hidden", "partner": "shown"},
    "totals": {"coordinator": "totals", "reader": "totals", "administrator": "totals", "partner": "hidden"},
    "me": {"coordinator": "hidden", "reader": "hidden", "administrator": "hidden", "partner": "hidden"},
}


def sight(form: Form, question: Question, viewer: Viewer) -> Sight:
    """How this viewer sees the answers to this question.

    An agreement belongs to the pair: coordinators see what AGREEMENT_SHOWN names, and where the two do not agree, the
    rows that differ (`expectations_differ`).
    """
    if form.form == "agreement" and question.visible == "pair" and viewer == "coordinator":
        return "shown" if question.id in AGREEMENT_SHOWN else "hidden"
    return _TABLE[question.visible][viewer]


def fields_shown(form: Form, question: Question, viewer: Viewer) -> tuple[Question, ...]:
    """The fields of a group that this viewer sees: of the goals of an agreement, coordinators see the titles."""
    if form.form == "agreement" and viewer == "coordinator" and question.visible == "pair":
        return tuple(field for field in question.fields if field.id == TITLE)
    return question.fields


def goal_titles_shown(viewer: Viewer) -> bool:
    """Whether this viewer reads the titles of agreed goals where the midpoint and the closure ask about them."""
    return _TABLE["pair"][viewer] == "shown"
