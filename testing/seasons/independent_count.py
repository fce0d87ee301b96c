"""An independent count of every figure of a report: over the rehearsed season itself, or over the rows in SQL.

Shares no code with `reports/`, `store/reports/` and `rehearsal/season_rows.py`; knows only what docs/reports.md says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from statistics import median
from typing import Any

from sqlalchemy import select

from lifecycle.local_time import local_date
from program.forms import Question
from program.models import Program
from rehearsal.season import RehearsedSeason
from store.database import Database
from store.programs import frozen_program
from store.tables import (
    AgreementRow,
    AnswerRow,
    ApplicationRow,
    CallRow,
    CohortRow,
    EventRow,
    ItemRow,
    MembershipRow,
    MentorshipRow,
    MessageRow,
    OutcomeRow,
    RequestRow,
    TaskRow,
)
from testing.seasons.counted_facts import Applicant, Asked, Facts, Pair, Task

EVERY = {"weekly": 7, "every_2_weeks": 14, "every_3_weeks": 21, "monthly": 30, "every_6_weeks": 42}
"""Days between two meetings, by the answer to `a_cadence`."""
COUNTED = ("invitation", "fit_check", "check_in", "midpoint", "closure", "follow_up")
FIRST_QUESTIONS = {
    "invitation": ["b_confid"],
    "check_in": ["p_met", "p_useful", "p_open", "p_goal", "m_help", "m_open", "m_follow", "m_load", "m_goal"],
}
TYPES = ("scale", "yes_no", "one", "many", "number")
NEVER = datetime.min.replace(tzinfo=UTC)
PRIVATE = ("p_help", "p_contact", "c_quote")

Name = tuple[str, ...]
"""Of a table: its id without the mark of a wording, and the words of a question."""
Counted = dict[str, tuple[int, int]]
"""Part of a table to (count, different people); `total` is the whole."""


# -- from a rehearsal, from SQL ------------------------------------------------------------------------------------


def of_rehearsal(season: RehearsedSeason) -> Facts:
    """What the rehearsal remembers."""
    facts = Facts(local_date(season.now, season.cohort.zone))
    participants = {person.id for person in season.cohort.participants}
    zones = {person.id: person.zone or season.cohort.zone for person in season.cohort.participants}
    for mail in season.mails:
        if mail.person in participants:
            facts.mails.append((mail.person, mail.at))
            if not {"receipt", "urgent"} & {post.kind for post, _ in mail.items}:
                facts.ordinary.append((mail.person, local_date(mail.at, zones[mail.person])))
    for key, running in season.running.items():
        state, ending = running.state, running.ending or ("", "", None)
        drafts = [one for one in running.requests.values() if one.asked.ask == "agreement" and one.answers]
        last = max(drafts, key=lambda one: one.asked.number).answers if drafts else None
        facts.pairs[key] = Pair(
            running.program.format, state.start, state.midpoint, state.end, _every(running.program, last),
            {note.name for _, note in running.notes}, *ending, len((last or {}).get("a_goals", ())),
        )  # fmt: skip
        facts.seats += [(key, member.person, member.role) for member in state.members]
        for name, request in running.requests.items():
            asked = request.asked
            sent = [mail.at for mail in season.mails if any(post.request == name for post, _ in mail.items)]
            form = running.forms.get(running.program.form_for(asked.ask))
            first = [
                one.at
                for one in season.answers
                if (one.mentorship, one.ask, one.number, one.person) == (key, asked.ask, asked.number, asked.person)
            ]
            facts.asked.append(
                Asked(
                    key, asked.ask, asked.number, asked.person, asked.role,
                    request.facts.state in ("withdrawn", "superseded"), sorted(sent),
                    [*form.questions_for(asked.role, asked.format, asked.early)] if form else [],
                    request.answers, min(first) if request.answers is not None else None,
                )
            )  # fmt: skip
    for task in season.tasks.values():
        facts.tasks.append(Task(task.mentorship, task.kind, task.opened, task.due, task.closed, task.decision))
    return facts


async def of_database(database: Database, cohort: str, as_of: date, applicants: Sequence[Applicant] = ()) -> Facts:
    """What is in SQL, all of it: `as_of` must be after everything. `applicants` are those who applied, as they were
    when their pairs were published: what they wrote is deleted later."""
    facts = Facts(as_of, applicants=[*applicants])
    async with database.session() as session:

        async def rows(table: Any) -> list[Any]:
            return [*await session.scalars(select(table).where(table.cohort == cohort))]

        assert await session.get(CohortRow, cohort)
        happened = [(event.mentorship, event.name) for event in await rows(EventRow)]
        outcomes = {row.mentorship: row for row in await rows(OutcomeRow)}
        drafts = {row.mentorship: row for row in sorted(await rows(AgreementRow), key=lambda row: row.version)}
        pairs = {row.key: row for row in await rows(MentorshipRow)}
        for key, row in pairs.items():
            program = (await frozen_program(session, row.program, row.program_hash)).program
            ended = outcomes.get(key)
            facts.pairs[key] = Pair(
                program.format, row.start, row.midpoint, row.end,
                _every(program, drafts[key].body if key in drafts else None),
                {name for mentorship, name in happened if mentorship == key},
                *((ended.ending, ended.reason, ended.on) if ended else ("", "", None)),
                len(drafts[key].body.get("a_goals", ())) if key in drafts else 0,
            )  # fmt: skip
        facts.seats = [(row.mentorship, row.person, row.role) for row in await rows(MembershipRow)]
        items = await rows(ItemRow)
        messages = {row.id: row for row in await session.scalars(select(MessageRow))}
        went = {id_: row for id_, row in messages.items() if row.state in ("sent", "ambiguous")}
        of_cohort = {item.message for item in items} & {*went}
        facts.mails = [(went[id_].person, went[id_].at) for id_ in of_cohort if id_]
        facts.ordinary = [(went[id_].person, went[id_].local_date) for id_ in of_cohort if id_ and not went[id_].fast]
        requests = await rows(RequestRow)
        names = [row.key for row in requests]
        bodies: dict[str, list[AnswerRow]] = {}
        for answer in await session.scalars(select(AnswerRow).order_by(AnswerRow.version)):
            bodies.setdefault(answer.request, []).append(answer)
        assert len(names) == len({*names})
        for row in requests:
            pair = pairs[row.mentorship]
            frozen = await frozen_program(session, pair.program, row.program_hash or pair.program_hash)
            form = frozen.forms.get(frozen.program.form_for(row.ask))
            sent = [went[item.message].at for item in items if item.request == row.key and item.message in went]
            given = bodies.get(row.key, []) if form else []
            facts.asked.append(
                Asked(
                    row.mentorship, row.ask, row.number, row.person, row.role,
                    row.state in ("withdrawn", "superseded"), sorted(sent),
                    [*form.questions_for(row.role, frozen.program.format, row.early)] if form else [],
                    given[-1].body if given else None, given[0].at if given else None,
                )
            )  # fmt: skip
        for row in await rows(ApplicationRow):
            if row.confirmed_at and row.state != "withdrawn":
                facts.applied[row.person] = row.body.get("b_confid")
        call = await session.get(CallRow, cohort)
        facts.compared = _compared(call.form, call.matching) if call else {}
        for row in await rows(TaskRow):
            facts.tasks.append(Task(row.mentorship, row.kind, row.opened_on, row.due, row.closed_on, row.decision))
    return facts


def _compared(form: Mapping[str, Any], matching: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """What hard rules and `equal` compare; none of the shipped programs has a shared identity."""
    found: dict[str, Sequence[str]] = {}
    for rule in (*matching["rules"], *matching["score"]):
        for kind in ("different", "same", "above", "within", "equal"):
            for question in form["questions"]:
                if question["id"] == rule.get(kind) and question["type"] in ("one", "many"):
                    offered = [option["value"] for option in question["options"]]
                    found[question["id"]] = offered if question["type"] == "many" else ["", *offered]
    return found


def _every(program: Program, agreement: Mapping[str, Any] | None) -> int:
    return EVERY.get(str((agreement or {}).get("a_cadence")), max(program.rhythm.every, 1))


# -- the count -----------------------------------------------------------------------------------------------------


def count(facts: Facts) -> dict[Name, Counted]:
    """Every table of a report, counted again."""
    tables = {**_mentorships(facts), **_tasks(facts), **_goals(facts), **_answers(facts), **_reminders(facts)}
    return {**tables, **_applied(facts)}


def _part(people: Iterable[str]) -> tuple[int, int]:
    listed = [*people]
    return len(listed), len({*listed})


def _applied(facts: Facts) -> dict[Name, Counted]:
    """By role, and by what the rules compare: each answer of a list that the form offers."""
    found: dict[str, dict[str, int]] = {}
    for one in facts.applicants:
        role = "mentor" if one.role == "mentor" else "peer" if one.role == "peer" else "mentee"
        places = [f"reach.applied.{role}"]
        for field, offered in facts.compared.items():
            said = [value for value in one.answers.get(field, ()) if value in offered]
            places += [f"reach.applied.{role}.{field}.{value}" for value in said or ([""] if offered[0] else [])]
        for place in places:
            parts = found.setdefault(place, {"total": 0})
            for part in ("total", "placed" if one.seated else "not_placed"):
                parts[part] = parts.get(part, 0) + 1
    nobody_left = [place for place, parts in found.items() if place.count(".") == 2 and not parts.get("not_placed")]
    return {
        (place,): {part: (n, n) for part, n in parts.items()}
        for place, parts in found.items()
        if not any(place.startswith(f"{whole}.") for whole in nobody_left)
    }


def _mentorships(facts: Facts) -> dict[Name, Counted]:
    within = {key: {person for pair, person, _ in facts.seats if pair == key} for key in facts.pairs}

    def parts(keys: Iterable[str], sorting: Mapping[str, Iterable[str]]) -> Counted:
        lots = {"total": [*keys], **{name: [*lot] for name, lot in sorting.items()}}
        return {
            name: (len(lot), len(set[str]().union(*(within[key] for key in lot))))
            for name, lot in lots.items()
            if lot or name == "total"
        }

    pairs, told = facts.pairs, meetings(facts)
    yes = {key for key, pair in pairs.items() if pair.begun}
    no = {*pairs} - yes
    done = {key for key in yes if pairs[key].ending.startswith("completed")}
    late = {key for key in yes - done if (pairs[key].on or facts.as_of) > pairs[key].midpoint}
    early: dict[str, list[str]] = {}
    for key in sorted(yes - done):
        pair = pairs[key]
        known = pair.reason in ("no_fault", "goals_reached", "left", "inactive", "safeguarding")
        name = "running" if not pair.ending else "other"
        if pair.ending == "ended_early":
            name = f"early.{pair.reason if known else 'other'}"
        early.setdefault(name, []).append(key)
    agreed = {key for key in yes if "agreement_concluded" in pairs[key].happened}
    met = {key for key in yes if told.get(key)}
    kept: dict[str, list[str]] = {}
    for key in yes:
        due = expected(facts, key)
        share = told[key] / due if due and key in told else None
        name = "unknown" if share is None else "kept" if share >= 0.75 else "less" if share >= 0.5 else "seldom"
        kept.setdefault(f"rhythm.{name}", []).append(key)
    never = {key for key in no if pairs[key].ending == "never_started"}
    return {
        ("reach.said_yes",): parts(pairs, {"said_yes": yes, "not_yes": no}),
        ("reach.agreed",): parts(yes, {"agreed": agreed, "not_agreed": yes - agreed}),
        ("reach.met",): parts(yes, {"met": met, "not_met": yes - met}),
        ("reach.furthest",): parts(yes, {"completed": done, "half_way": late, "before_midpoint": yes - done - late}),
        ("endings.begun",): parts(yes, {"completed": done, **early}),
        ("endings.not_begun",): parts(no, {"never_started": never, "not_yet": no - never}),
        ("meetings.rhythm",): parts(yes, kept),
    }


def meetings(facts: Facts) -> dict[str, int]:
    """Mentorship to the meetings that people told of."""
    found: dict[str, int] = {}
    for key in facts.pairs:
        answered = [one for one in facts.asked if one.pair == key and one.body is not None]
        closing = [one.body["c_meet"] for one in answered if one.ask == "closure" and _is_number(one, "c_meet")]  # type: ignore[index]
        rounds: dict[int, int] = {}
        for one in answered:
            said = str((one.body or {}).get("p_met"))
            if one.ask == "check_in" and said in ("0", "1", "2", "3+"):
                rounds[one.number] = max(rounds.get(one.number, 0), int(said[0]))
        first = any(one.ask == "fit_check" and (one.body or {}).get("f_contact") == "met" for one in answered)
        if closing:
            found[key] = int(median(closing))
        elif rounds or first:
            found[key] = sum(rounds.values()) + first
    return found


def _is_number(one: Asked, question: str) -> bool:
    return type((one.body or {}).get(question)) is int


def expected(facts: Facts, key: str) -> int:
    """How often they would have met."""
    pair = facts.pairs[key]
    return max((min(pair.on or facts.as_of, pair.end) - pair.start).days // pair.every, 0)


def _tasks(facts: Facts) -> dict[Name, Counted]:
    def parts(tasks: Iterable[Task]) -> tuple[int, int]:
        tasks = [*tasks]
        return len(tasks), len({person for task in tasks for pair, person, _ in facts.seats if pair == task.pair})

    def lots(tasks: Iterable[Task], sort: Any) -> Counted:
        tasks = [*tasks]
        return {"total": parts(tasks)} | {
            name: parts(task for task in tasks if sort(task) == name) for name in {sort(task) for task in tasks}
        }

    def when(task: Task) -> str:
        if not task.closed:
            return "open"
        return "lapsed" if task.decision == "lapsed" else "late" if task.closed > task.due else "in_time"

    def became(task: Task) -> str:
        ending = facts.pairs[task.pair].ending if task.pair in facts.pairs else ""
        return f"swaps.{'completed' if ending.startswith('completed') else 'ended' if ending else 'running'}"

    swaps = [task for task in facts.tasks if task.decision == "replace"]
    return {
        ("work.kinds",): lots(facts.tasks, lambda task: task.kind),
        ("work.in_time",): lots(facts.tasks, when),
        ("work.swaps",): lots(facts.tasks, lambda task: "swaps" if task in swaps else "no_swap"),
        ("work.after_swaps",): lots(swaps, became),
    }


def last(facts: Facts, ask: str, role: str, number: int) -> dict[tuple[str, str], Asked]:
    """Seat to the request that was answered last, or to one without an answer where none was; not what was taken
    back unanswered."""
    found: dict[tuple[str, str], Asked] = {}
    for one in sorted(facts.asked, key=lambda one: (one.at is not None, one.at or NEVER)):
        if one.ask == ask and one.role == role and number in (0, one.number) and (one.at or not one.gone):
            found[one.seat] = one
    return found


def _rounds(facts: Facts) -> list[tuple[str, int, str]]:
    roles = {role for _, _, role in facts.seats}
    numbers = {(one.ask, one.number if one.ask == "check_in" else 0) for one in facts.asked if one.ask in COUNTED}
    return [(ask, number, role) for ask, number in numbers for role in roles]


def _answers(facts: Facts) -> dict[Name, Counted]:
    found: dict[Name, Counted] = {}
    chosen: dict[Name, dict[str, list[str]]] = {}
    for ask, number, role in _rounds(facts):
        place = f"{role}/{ask}{number or ''}"
        asked = last(facts, ask, role, number)
        seats = [(pair, person) for pair, person, of_role in facts.seats if of_role == role]
        given = {seat: one for seat, one in asked.items() if one.at}
        found[(f"answers.{place}",)] = {
            "total": _part(person for _, person in seats),
            "answered": _part(person for _, person in given),
            "silent": _part(person for pair, person in asked if (pair, person) not in given),
            "not_asked": _part(person for pair, person in seats if (pair, person) not in asked),
        }
        for (_, person), one in given.items():
            for question in one.questions:
                if _is_counted(question, ask):
                    _one_answer(chosen, place, question, person, (one.body or {}).get(question.id))
    return found | _parts(chosen)


def _parts(found: dict[Name, dict[str, list[str]]]) -> dict[Name, Counted]:
    return {name: {part: _part(people) for part, people in parts.items()} for name, parts in found.items()}


def _is_counted(question: Question, ask: str) -> bool:
    if question.type not in TYPES or question.visible == "me" or question.id in PRIVATE:
        return False
    return ask not in FIRST_QUESTIONS or question.id in FIRST_QUESTIONS[ask]


def _one_answer(
    found: dict[Name, dict[str, list[str]]], place: str, question: Question, person: str, said: Any
) -> None:
    names = {f"{place}/{question.id}": ""}
    if question.type == "many":
        names = {f"{place}/{question.id}/{option.value}": option.value for option in question.options}
    words = (question.label, *(option.label for option in question.options), question.low, question.high)
    for name, option in names.items():
        parts = found.setdefault((name, *words), {"total": []})
        parts["total"].append(person)
        part = _part_of(question, said) if not option else "yes" if option in (said or ()) else "no"
        parts.setdefault(part, []).append(person)


def _part_of(question: Question, said: Any) -> str:
    if said is None or said == "" or isinstance(said, list | dict):
        return "open"
    if question.type == "yes_no":
        return "yes" if said else "no"
    if question.type != "number":
        return str(said)
    for low, high in _bins(question):
        if low <= said <= high:
            return str(low) if low == high else f"{low} to {high}"
    return "open"


def _bins(question: Question) -> list[tuple[int, int]]:
    own = {
        "c_nps": [(0, 6), (7, 8), (9, 10)],
        "c_meet": [(0, 0), (1, 3), (4, 6), (7, 10), (11, 15), (16, 200)],
        "c_meet_minutes": [(0, 29), (30, 44), (45, 60), (61, 90), (91, 480)],
        "c_again_n": [(1, 1), (2, 2), (3, 3), (4, 5), (6, 20)],
    }
    if question.id not in own:
        assert (question.least or 0, question.most) == (0, 10), question.id
    return own.get(question.id, [(0, 3), (4, 6), (7, 8), (9, 10)])


def _goals(facts: Facts) -> dict[Name, Counted]:
    found: dict[Name, dict[str, list[str]]] = {}
    for role in ("mentee", "mentor", "peer"):
        answered = last(facts, "closure", role, 0)
        for key, person, seat in facts.seats:
            if seat != role:
                continue
            pair, one = facts.pairs[key], answered.get((key, person))
            entries = ((one.body or {}).get("c_goals") or ()) if one else ()
            came = [goal["came"] for goal in entries if goal.get("came")]
            if "agreement_concluded" in pair.happened:
                came += ["unsaid" for _ in range(pair.goals - len(came))]
            for each in came:
                parts = found.setdefault((f"goals.{role}.{pair.format}",), {"total": []})
                parts["total"].append(person)
                parts.setdefault(each, []).append(person)
    return _parts(found)


def _reminders(facts: Facts) -> dict[Name, Counted]:
    found: dict[Name, dict[str, list[str]]] = {}
    for one in facts.asked:
        if one.at and one.ask in COUNTED:
            parts = found.setdefault((f"reminders.{one.ask}",), {"total": []})
            before = sum(mail <= one.at for mail in one.mails)
            parts["total"].append(one.person)
            parts.setdefault(str(min(max(before, 1), 3)), []).append(one.person)
    return _parts(found)
