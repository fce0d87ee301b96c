"""Mentorships that run go over to the program as its file says it now: an edited file touches nobody by itself.

The file is read whole and checked before anything is done. Each mentorship takes up the version of its own program by
an event; what it was asked before keeps its form (`store.cohorts.program_versions`). When all of a cohort have gone
over, the cohort has, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lifecycle import events
from operations.errors import Refused
from operations.mentorships.change import Change, MentorshipRef
from program.forms import Form, Question
from program.loader import Loaded, LoadedProgram
from store.cohorts import program_versions
from store.database import Database
from store.programs import FrozenProgram, frozen_program
from workflows.inputs import WORDING, numbers_of

ALREADY = "it goes by this version already"


async def adoption(database: Database, loaded: Loaded, places: Sequence[MentorshipRef]) -> Change:
    """The change by which these mentorships take up the programs of a cohort's file. Reads SQL only.

    Raises `Refused` where the file is of another cohort, or its agreement can't go on with what was agreed.
    """
    cohort = loaded.cohort.cohort
    if strangers := [f"{other_cohort}/{key}" for other_cohort, key in places if other_cohort != cohort]:
        raise Refused(f"the file is of the cohort {cohort}; for {', '.join(strangers)} name the file of theirs")
    async with database.session() as session:
        goes_by = await program_versions.versions(session, places)
        frozen: dict[tuple[str, str], FrozenProgram] = {}
        for id_, versions in (await program_versions.known_versions(session, list(loaded.used))).items():
            for version in versions:
                frozen[id_, version] = await frozen_program(session, id_, version)
    for (id_, _), before in frozen.items():
        _same_document(before, loaded.used[id_])
    others = {mentorship.key: loaded.program_of(mentorship) for mentorship in loaded.cohort.mentorships}
    default = loaded.used[loaded.cohort.program]
    differs = {
        which: tuple(differences(before, loaded.used[before.program.program])) for which, before in frozen.items()
    }
    each: dict[MentorshipRef, Change] = {}
    for ref, which in goes_by.items():
        # One whose program the file doesn't name is told so by the core.
        program = loaded.used.get(which[0]) or others.get(ref[1], default)
        each[ref] = _change(program, differs.get(which, ()), already=which[1] == program.hash)
    return replace(_change(default, (), already=False), each=each)


def _change(loaded: LoadedProgram, says: tuple[str, ...], *, already: bool) -> Change:
    numbers = numbers_of(loaded.program)
    return Change(
        "adopt",
        lambda id_, by, _: events.Adopt(id_, numbers, loaded.hash, by),
        once=True,
        already_done_reason=ALREADY if already else "",
        program=loaded,
        says=says,
    )


# -- what is otherwise -------------------------------------------------------------------------------------------


def differences(before: FrozenProgram, after: LoadedProgram) -> Iterable[str]:
    """In words, what a version of a program says otherwise than the one before."""
    if before.hash == after.hash:
        return
    was, says = (dict(_flat(version.program.model_dump(mode="json"))) for version in (before, after))
    for name in sorted({*was, *says}):
        if was.get(name) == says.get(name):
            continue
        if name in WORDING:
            yield f"{name}: other words"
        else:
            yield f"{name}: {_shown(was.get(name))} → {_shown(says.get(name))}"
    for id_ in sorted({*before.forms, *after.forms}):
        form, other = before.forms.get(id_), after.forms.get(id_)
        if form is None or other is None:
            yield f"form {id_}: {'new' if form is None else 'no longer asked'}"
        elif form != other:
            yield f"form {id_}: {_questions(form, other)}"


def _flat(value: Mapping[str, Any], where: str = "") -> Iterable[tuple[str, Any]]:
    for name, entry in value.items():
        if isinstance(entry, dict) and entry:
            yield from _flat(entry, f"{where}{name}.")  # pyright: ignore[reportUnknownArgumentType]
        else:
            yield f"{where}{name}", entry


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(entry) for entry in value) or "none"  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return "none" if value in (None, "", {}) else str(value)


def _questions(before: Form, after: Form) -> str:
    was, says = ([question.id for question in form.questions] for form in (before, after))
    parts = [
        f"{word} {', '.join(dict.fromkeys(ids))}"
        for word, ids in (
            ("no longer asks", [id_ for id_ in was if id_ not in says]),
            ("asks", [id_ for id_ in says if id_ not in was]),
        )
        if ids
    ]
    return "; ".join(parts) or "other words"


def _same_document(before: FrozenProgram, after: LoadedProgram) -> None:
    """An agreement outlives a version: a question that stays must be answered in the same way."""
    forms = [program.forms.get(program.program.form_for("agreement")) for program in (before, after)]
    was, says = (_kinds(form.questions) if form else {} for form in forms)
    other = sorted(id_ for id_, kind in says.items() if was.get(id_, kind) != kind)
    if other:
        raise Refused(
            f"the agreement's form asks {', '.join(other)} in another way than before, and agreements of these "
            "mentorships hold answers to it; give the new question an id of its own"
        )


def _kinds(questions: Collection[Question], where: str = "") -> dict[str, str]:
    kinds: dict[str, str] = {}
    for question in questions:
        kinds[f"{where}{question.id}"] = question.type
        kinds |= _kinds(question.fields, f"{where}{question.id}.")
    return kinds
