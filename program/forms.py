"""Forms: a set of questions, defined once, from which page, validation, mail text, export and report are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from program.limits import TEXT_CHARACTERS
from program.models import Format, Id, Model, Role

QuestionType = Literal[
    "scale",  # 1 strongly disagree … 5 strongly agree, with "can't say yet" (stored as None)
    "yes_no",  # True / False
    "one",  # value of one option
    "many",  # list of option values
    "number",  # int between least and most
    "date",  # ISO date
    "date_ranges",  # list of [from, to] ISO dates
    "text",  # string of at most `longest` characters
    "group",  # list of objects, each with the fields' ids as keys; at most `most` of them
    "sign",  # the name typed as a signature
]
Visible = Literal["pair", "coordinator", "me", "totals"]
Answer = bool | str
"""An answer that a condition can name: `true` or `false`, or the value of an option."""

LATER_KEYS = ("when", "section", "fold", "tick")
"""Keys that questions did not have at first. Left out of the stored form where they say nothing, so that a form
without them is the same form as before."""


class Option(Model):
    """One choice. `value` is what is stored and what rules read; `label` is what people see."""

    value: str
    """What is stored and what rules read."""
    label: str
    """What people see."""


class Question(Model):
    """One question. `label` may hold {partner}, {since}, {purpose}, {program}: filled per request."""

    id: Id
    """Stable: answers are kept under it, and rules read some by theirs."""
    type: QuestionType
    """`scale` (1 to 5, with “can't say yet”), `yes_no`, `one` or `many` of the options, `number`, `date`,
    `date_ranges`, `text`, `group` (entries with `fields`) or `sign` (the name as a signature)."""
    label: str
    """The question. May hold {partner}, {since}, {purpose} and {program}."""
    help: str = ""
    """A sentence below it."""
    required: bool = False
    """Whether the form can be sent without an answer."""
    options: tuple[Option, ...] = ()
    """With `one` and `many`: the choices."""
    least: int | None = None
    """The smallest number."""
    most: int | None = None
    """The largest number; of a `group`, the most entries."""
    longest: int = Field(default=1000, ge=1, le=TEXT_CHARACTERS)
    """Characters of a text."""
    low: str = ""
    """What the lowest value of a scale or number means, in words."""
    high: str = ""
    """What the highest value means."""
    roles: tuple[Role, ...] = ()
    """Who is asked; empty means all."""
    formats: tuple[Format, ...] = ()
    """The formats in which it is asked; empty means all."""
    when: dict[Id, Answer | tuple[Answer, ...]] = {}
    """The answer with which this question appears: `{p_next: true}`, or `{r_decide: [pause, unsure]}`. The other
    question stands before it in the same form and is a `yes_no`, a `one` or a `many`."""
    section: str = ""
    """A heading above this question."""
    fold: str = ""
    """Only where it is not `required`: it stands folded under these words, together with its neighbours of the same
    words."""
    tick: str = ""
    """With `yes_no`: one box to tick, with these words, in place of yes and no."""
    wording: Literal["normal", "early", "both"] = "both"
    """Closure only: asked at the planned end, at an early end, or at both."""
    visible: Visible = "coordinator"
    """Who sees the answer: `pair`, `coordinator`, `me` alone, or `totals` only."""
    joint: bool = False
    """Midpoint: stands on the joint sheet, if both share it."""
    fields: tuple[Question, ...] = ()
    """The questions of one entry of a `group`."""
    contented: Any = None
    """What a contented person answers; simulated people and previews use it."""

    @model_serializer(mode="wrap")
    def _without_later_keys(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        dumped: dict[str, Any] = dump(self)
        return {key: value for key, value in dumped.items() if value or key not in LATER_KEYS}

    @property
    def condition(self) -> tuple[str, tuple[Answer, ...]] | None:
        """The question on which this one depends, and the answers with which it appears."""
        for question, answer in self.when.items():
            return question, answer if isinstance(answer, tuple) else (answer,)
        return None

    def appears(self, answers: Mapping[str, Any]) -> bool:
        """Whether this question is asked of a person who gave these answers before it."""
        if self.condition is None:
            return True
        question, wanted = self.condition
        given = answers.get(question)
        return any(answer in wanted for answer in (given if isinstance(given, list) else [given]))  # pyright: ignore[reportUnknownVariableType]


class Form(Model):
    """A form; one file of `config/forms/`. Answers keep the form's version."""

    form: Id
    """The form's id: the file's name without `.yaml`."""
    version: int = 1
    """Kept with each answer; count it up when the meaning of a question changes."""
    title: str
    """Heading of the page."""
    minutes: float = 2
    """About how long it takes; mails and page say so."""
    intro: str = ""
    """Shown before the first question."""
    who_sees: str
    """Shown before the first question: who reads the answers."""
    thanks: str = ""
    """Shown when the answers are in: what happens next."""
    questions: tuple[Question, ...] = Field(min_length=1)
    """In the order of the page."""

    def questions_for(self, role: str, format_: str, early: bool = False) -> tuple[Question, ...]:
        """The questions that a person of this role sees in a mentorship of this format."""
        return tuple(
            question
            for question in self.questions
            if (not question.roles or role in question.roles)
            and (not question.formats or format_ in question.formats)
            and (question.wording == "both" or (question.wording == "early") == early)
        )

    def contented(self, role: str, format_: str, early: bool = False) -> Answers:
        """What a contented person of this role answers; questions without such an answer are left out."""
        return self.answered({}, role, format_, early)

    def answered(self, own: Mapping[str, Any], role: str, format_: str, early: bool = False) -> Answers:
        """What a contented person answers, but for the answers that are their own.

        An answer of their own to a question that appears only with another answer brings that answer with it, where
        they have none of their own to the other question. Questions that do not appear are left out.
        """
        questions = self.questions_for(role, format_, early)
        answers = {question.id: question.contented for question in questions if question.contented is not None}
        answers |= own
        types = {question.id: question.type for question in questions}
        for question in questions:
            if question.id in own and question.condition is not None:
                other, (first, *_) = question.condition
                if other not in own and not question.appears(answers):
                    answers[other] = [first] if types.get(other) == "many" else first
        return consistent(questions, answers)


Answers = dict[str, Any]
"""What a participant submitted: question id to value, in the types named above; unanswered is left out."""


def consistent(questions: Iterable[Question], answers: Answers) -> Answers:
    """These answers without those to questions that do not appear with them; answers to no question are kept."""
    kept = dict(answers)
    for question in questions:
        if question.id in kept and not question.appears(kept):
            del kept[question.id]
    return kept


READ_BY_RULES: dict[str, tuple[str, ...]] = {
    "invitation": ("accept",),
    "fit_check": ("f_contact", "f_fit", "f_action"),
    "check_in": ("p_met", "p_next", "p_open", "m_open", "p_useful", "m_help", "m_follow", "m_load", "p_goal",
                 "m_goal", "p_away", "p_help"),
    "midpoint": ("r_decide", "r_cadence", "p_help"),
    "closure": ("c_contact", "c_note", "c_give", "c_again", "c_follow", "c_nps", "p_help"),
    "agreement": ("a_cadence", "sign_e", "sign_m"),
    "are_you_there": ("state",),
}  # fmt: skip
"""Ask name to the questions that the rules read: a form used there must keep them."""
