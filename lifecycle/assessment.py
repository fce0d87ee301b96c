"""What answers mean: the signals of one answer, and the findings of a settled ask (lifecycle 5 and 6).

The only place that reads answers. What it returns says what follows from them, never what they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from lifecycle.delivery.absences import LATEST, Absence
from lifecycle.findings import Findings, MidpointOutcome, Signals
from program.forms import Answers
from program.models import Format, Rules

AnswersByPerson = Mapping[str, tuple[str, Answers]]
"""Participant id to (role, answers) of those who answered in time."""

RELATIONSHIP_QUESTIONS = ("p_useful", "p_open", "m_help", "m_open", "m_follow", "m_load")
"""Scale questions that rule L reads."""

ABSENCES = ("p_away", "a_away")
"""Questions that ask when somebody is away."""

LOW_FIT = 2
"""The highest fit that counts as low (1 to 5)."""

MEETINGS = {"0": 0, "1": 1, "2": 2, "3+": 3}
"""Stored value of `p_met` to the number that rule D compares."""


def signals(ask: str, answers: Answers, rules: Rules | None = None) -> Signals:
    """What one answer sets off at once, by the thresholds of the program's `rules`."""
    rules = rules or Rules()
    safety = answers.get("p_help") == "safety"
    found = Signals(
        safety=safety,
        help=answers.get("p_help") in ("yes", "private"),
        low=ask == "check_in" and _is_low(answers, rules.low_score),
        contact=safety and answers.get("p_contact") is True,
    )
    if ask == "invitation" and isinstance(answers.get("accept"), bool):
        found = replace(found, accepted=answers["accept"])
    if ask == "fit_check":
        fit = answers.get("f_fit")
        low = isinstance(fit, int) and fit <= LOW_FIT
        word = answers.get("f_action") == "word"
        found = replace(found, fit=low or answers.get("f_action") == "someone_else", help=found.help or word)
    if ask == "are_you_there":
        found = replace(found, help=answers.get("state") == "stuck", stopped=answers.get("state") == "stopped")
    return found


def absences(answers: Answers) -> tuple[Absence, ...]:
    """The absences that the answers of one person state, by their first day. They are kept in SQL only."""
    found: list[Absence] = []
    for question in ABSENCES:
        for first, last in answers.get(question) or ():
            absence = date.fromisoformat(first), min(date.fromisoformat(last), LATEST)
            if absence[0] <= absence[1] and absence not in found:
                found.append(absence)
    return tuple(sorted(found))


def assess(
    ask: str,
    given: AnswersByPerson,
    rules: Rules,
    format_: Format,
    asked: Sequence[tuple[str, str]] = (),
    before: AnswersByPerson | None = None,
) -> Findings:
    """What the answers of a settled ask mean together. No answers at all is a finding too.

    `asked` is (participant id, role) of everyone who was asked and has a seat still; at the midpoint saying nothing
    counts.
    `before` are all answers given so far to the check-in that was assessed before, where there was one.
    """
    answered = tuple(given)
    if ask == "invitation":
        return Findings(
            answered,
            accepted=tuple(person for person, (_, body) in given.items() if body.get("accept") is True),
            declined=tuple(person for person, (_, body) in given.items() if body.get("accept") is False),
        )
    if ask == "fit_check":
        bodies = [body for _, body in given.values()]
        return Findings(
            answered,
            nudge=any(body.get("f_action") == "nudge" for body in bodies),
            no_contact=bool(bodies) and all(body.get("f_contact") == "nothing" for body in bodies),
        )
    if ask == "check_in":
        return _check_in(given, rules, before)
    if ask == "midpoint":
        return _midpoint(Findings(answered), given, format_, asked)
    if ask == "closure":
        return Findings(
            answered,
            follow_up=tuple(person for person, (_, body) in given.items() if body.get("c_follow") is True),
            would_mentor=tuple(
                person for person, (role, body) in given.items() if role != "mentor" and body.get("c_give") == "yes"
            ),
        )
    return Findings(answered)


# -- check-ins -------------------------------------------------------------------------------------------------


def _check_in(given: AnswersByPerson, rules: Rules, before: AnswersByPerson | None) -> Findings:
    low = tuple(person for person, (_, body) in given.items() if _is_low(body, rules.low_score))
    return Findings(
        tuple(given),
        low=bool(low),
        concerned=low,
        no_meeting=_no_meeting(given),
        no_meeting_before=None if before is None else _no_meeting(before),
        silent_before=None if before is None else not before,
        differ=_differ(given, rules.differ_by),
        goal_changed=tuple(
            person for person, (_, body) in given.items() if "changed" in (body.get("p_goal"), body.get("m_goal"))
        ),
    )


def _no_meeting(given: AnswersByPerson) -> bool:
    """No meeting and none booked, by every answer given; without an answer nobody says so."""
    bodies = [body for _, body in given.values()]
    return bool(bodies) and all(body.get("p_met") == "0" and body.get("p_next") is not True for body in bodies)


def _is_low(body: Answers, threshold: int) -> bool:
    scores = (body.get(question) for question in RELATIONSHIP_QUESTIONS)
    return any(isinstance(score, int) and score <= threshold for score in scores)


def _differ(given: AnswersByPerson, by: int) -> bool:
    """Rule D: mirrored answers (openness, number of meetings) of two sides lie `by` or more apart."""
    people = list(given.values())
    for index, (role, body) in enumerate(people):
        for other_role, other in people[index + 1 :]:
            if role == other_role and role != "peer":
                continue
            mirrored = ((_openness(body), _openness(other)), (_meetings(body), _meetings(other)))
            if any(a is not None and b is not None and abs(a - b) >= by for a, b in mirrored):
                return True
    return False


def _openness(body: Answers) -> int | None:
    found = body.get("p_open", body.get("m_open"))
    return found if isinstance(found, int) else None


def tells_of_meeting(ask: str, body: Answers) -> bool:
    """Whether an answer says that people have met."""
    if ask == "fit_check":
        return body.get("f_contact") == "met"
    return ask == "check_in" and bool(_meetings(body))


def _meetings(body: Answers) -> int | None:
    return MEETINGS.get(str(body.get("p_met")))


# -- the midpoint matrix ---------------------------------------------------------------------------------------

CHOICES = ("continue", "change", "pause", "leave", "unsure", "nothing")
"""Answers to `r_decide` in the order of the matrix; `new_partner` and `end` are both `leave`."""

MATRIX: dict[tuple[str, str], MidpointOutcome] = {
    ("continue", "continue"): "go_on",
    ("continue", "change"): "reopen_agreement",
    ("continue", "pause"): "task",
    ("continue", "leave"): "task",
    ("continue", "unsure"): "task",
    ("continue", "nothing"): "go_on",
    ("change", "change"): "reopen_agreement",
    ("change", "pause"): "task",
    ("change", "leave"): "task",
    ("change", "unsure"): "task",
    ("change", "nothing"): "reopen_agreement",
    ("pause", "pause"): "pause",
    ("pause", "leave"): "task",
    ("pause", "unsure"): "task",
    ("pause", "nothing"): "task",
    ("leave", "leave"): "end",
    ("leave", "unsure"): "task",
    ("leave", "nothing"): "task",
    ("unsure", "unsure"): "task",
    ("unsure", "nothing"): "task",
    ("nothing", "nothing"): "are_you_there",
}
"""The matrix of lifecycle 6, upper half: the order of the two answers does not matter."""


def outcome(one: str, other: str) -> MidpointOutcome:
    """What follows from two answers of CHOICES, in either order."""
    first, second = sorted((one, other), key=CHOICES.index)
    return MATRIX[(first, second)]


def _midpoint(found: Findings, given: AnswersByPerson, format_: Format, asked: Sequence[tuple[str, str]]) -> Findings:
    found = replace(found, joint_sheet=_sharing(given, format_, asked))
    if format_ == "group":
        return _group_midpoint(found, given, asked)
    choices = [_choice(body) for _, body in given.values()]
    one, other = (*choices, "nothing", "nothing")[:2]
    return _decided(found, one, other, given)


def _group_midpoint(found: Findings, given: AnswersByPerson, asked: Sequence[tuple[str, str]]) -> Findings:
    """The mentor's answer against the mentee's furthest right; one who wants to leave concerns that one alone.

    Only when every mentee wants to leave is that the group's answer.
    """
    mentor = next((_choice(body) for role, body in given.values() if role == "mentor"), "nothing")
    mentees = {person: "nothing" for person, role in asked if role == "mentee"}
    mentees |= {person: _choice(body) for person, (role, body) in given.items() if role == "mentee"}
    leaving = tuple(person for person, choice in mentees.items() if choice == "leave")
    staying = [choice for choice in mentees.values() if choice != "leave"]
    furthest = max(staying, key=CHOICES.index, default="leave" if leaving else "nothing")
    decided = _decided(found, mentor, furthest, given)
    if leaving and staying:
        reason = "A mentee would like another partner or to finish; it concerns that mentee alone."
        decided = replace(
            decided,
            reason=f"{decided.reason} {reason}".strip(),
            concerned=tuple(dict.fromkeys((*decided.concerned, *leaving))),
        )
    return decided


def _sharing(given: AnswersByPerson, format_: Format, asked: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Ids of those who get a joint sheet: everyone who was asked, where all of them share; in a group those who
    share, where the mentor and at least one mentee do. A blank answer is no yes."""
    sharing = {person: role for person, role in asked if person in given and given[person][1].get("r_share") is True}
    of_both_sides = {"mentor", "mentee"} <= set(sharing.values())
    enough = of_both_sides if format_ == "group" else len(sharing) == len(asked) >= 2
    return tuple(sharing) if enough else ()


def _decided(found: Findings, one: str, other: str, given: AnswersByPerson) -> Findings:
    decision = outcome(one, other)
    until = max(_pauses_until(given), default=None)
    if decision == "pause" and until is None:
        decision = "task"
    if decision == "task":
        first, second = sorted((one, other), key=CHOICES.index)
        return replace(
            found,
            midpoint=decision,
            reason=f"At the midpoint one says {_SAID[first]} and the other says {_SAID[second]}."
            if first != second
            else f"At the midpoint both say {_SAID[first]}.",
            concerned=tuple(given),
        )
    return replace(found, midpoint=decision, pause_until=until if decision == "pause" else None)


_SAID = {
    "continue": "go on as is",
    "change": "go on with changes",
    "pause": "pause",
    "leave": "another partner, or finish",
    "unsure": "not sure",
    "nothing": "nothing",
}


def _choice(body: Answers) -> str:
    said = body.get("r_decide")
    if said in ("new_partner", "end"):
        return "leave"
    return said if said in CHOICES else "nothing"


def _pauses_until(given: AnswersByPerson) -> Iterable[date]:
    for _, body in given.values():
        if body.get("r_decide") == "pause" and isinstance(body.get("r_until"), str):
            yield date.fromisoformat(body["r_until"])
