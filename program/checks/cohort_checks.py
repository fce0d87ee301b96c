"""What a cohort must be before anybody is invited: people who exist once, pairs that can meet, dates ahead.

The checks read the document and not the models, so that one fault never hides another.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from program.addresses import problem_of_address
from program.faults import Fault, either, fault, quoted, suggestion
from program.files.reading import Source, Trail
from program.languages import is_language, near_language
from program.zones import is_zone, near_zones

PEOPLE = ("participants", "coordinators", "deputies", "readers")

_EARLIEST, _LATEST = date(2000, 1, 1), date(2200, 1, 1)


@dataclass(frozen=True, slots=True)
class FileSeat:
    """A place in a mentorship as the file has it."""

    trail: Trail
    key: str
    """`mentor`, `mentees` or `peers`."""
    person: str


def check_cohort(
    source: Source, today: date | None, formats: Mapping[str, str], warnings: list[Fault], *, utf8: bool = False
) -> Iterator[Fault]:
    """Everything that is wrong with a cohort. `formats`: program id to format, of the programs that are known.

    A start before `today` (a date in the cohort's zone) is a fault; None accepts any. `utf8`: the relay takes
    addresses of participants with letters beyond ASCII before the @.
    """
    yield from _check_zone(source, ("zone",))
    yield from _check_language(source, ("language",))
    yield from _check_start(source, ("start",), today)
    for group in PEOPLE:
        for index in range(source.size(group)):
            yield from _check_zone(source, (group, index, "zone"))
            yield from _check_language(source, (group, index, "language"))
            yield from _check_email(source, (group, index, "email"), utf8, answered=group != "participants")
            _warn_of_name(source, (group, index), warnings)
    yield from _check_doubles(source)
    yield from _check_mentorships(source, today, formats, warnings)


def _check_zone(source: Source, trail: Trail) -> Iterator[Fault]:
    written = source.text(*trail)
    if written is None or is_zone(written):
        return
    near = near_zones(written)
    remedy = f"Did you mean {either(near)}?" if near else "Write an IANA zone, such as Europe/Berlin."
    yield fault(source.place(*trail), f"there is no time zone {quoted(written)}", remedy)


def _check_language(source: Source, trail: Trail) -> Iterator[Fault]:
    written = source.text(*trail)
    if written is None or is_language(written):
        return
    near = near_language(written)
    remedy = f"Did you mean `{near}`?" if near else "Write its code, such as en, de or pt-BR."
    yield fault(source.place(*trail), f"{quoted(written)} is no code of a language", remedy)


def _check_email(source: Source, trail: Trail, utf8: bool, *, answered: bool) -> Iterator[Fault]:
    written = source.text(*trail)
    problem, remedy = problem_of_address(written, utf8=utf8, answered=answered) if written is not None else ("", "")
    if problem:
        yield fault(source.place(*trail), problem, remedy)


def _check_start(source: Source, trail: Trail, today: date | None) -> Iterator[Fault]:
    start = source.date(*trail)
    if start is None:
        return
    if today is not None and start < today:
        yield fault(
            source.place(*trail),
            f"the start {start} lies in the past",
            f"Write {today} or a later date; invitations go out three weeks before it.",
        )
    elif not _EARLIEST <= start < _LATEST:
        yield fault(source.place(*trail), f"the start {start} is out of reach", "Check the year.")


def _check_doubles(source: Source) -> Iterator[Fault]:
    """Ids and addresses are unique. Somebody who takes part and coordinates may stand in both lists, the same."""
    ids: dict[str, Trail] = {}
    addresses: dict[str, Trail] = {}
    for group in PEOPLE:
        for index in range(source.size(group)):
            here: Trail = (group, index)
            same = False
            id_ = source.text(*here, "id")
            if id_ is not None:
                first = ids.setdefault(id_, here)
                same = first[0] != group and all(
                    source.at(*first, key) == source.at(*here, key) for key in ("name", "email")
                )
                if first != here and not same:
                    yield fault(
                        source.place(*here, "id"),
                        f"the id {quoted(id_)} is given twice, first {_where(source, (*first, 'id'), here)}",
                        "Give each person an id of their own.",
                    )
            address = source.text(*here, "email")
            if address is not None:
                first = addresses.setdefault(address.casefold(), here)
                if first != here and not same:
                    yield fault(
                        source.place(*here, "email"),
                        f"this address is given twice, first {_where(source, (*first, 'email'), here)}",
                        "One address belongs to one person; list that person once.",
                    )


def _where(source: Source, first: Trail, second: Trail) -> str:
    """Where the first of two stands, naming the file only if it is another one."""
    place = source.place(*first)
    other = f"{place.file} " if place.file != source.place(*second).file else ""
    return f"in {other}line {place.line}"


def _seats(source: Source, mentorship: Trail) -> list[FileSeat]:
    found: list[FileSeat] = []
    mentor = source.text(*mentorship, "mentor")
    if mentor is not None:
        found.append(FileSeat((*mentorship, "mentor"), "mentor", mentor))
    for key in ("mentees", "peers"):
        for index in range(source.size(*mentorship, key)):
            person = source.text(*mentorship, key, index)
            if person is not None:
                found.append(FileSeat((*mentorship, key, index), key, person))
    return found


def _check_mentorships(
    source: Source, today: date | None, formats: Mapping[str, str], warnings: list[Fault], *, utf8: bool = False
) -> Iterator[Fault]:
    people = range(source.size("participants"))
    ids = [source.text("participants", index, "id") for index in people]
    participants = {id_: index for index, id_ in reversed(list(enumerate(ids))) if id_ is not None}
    # A person who could not be read may be the one that is meant: who is missing is known once that fault is gone.
    all_known = "participants" not in source.incomplete and None not in ids
    staff = {
        id_
        for group in ("coordinators", "deputies", "readers")
        for index in range(source.size(group))
        if (id_ := source.text(group, index, "id")) is not None
    }
    keys: dict[str, Trail] = {}
    alike: dict[tuple[object, ...], Trail] = {}
    mentees: dict[str, int] = {}
    seated: set[str] = set()
    cohort_program = source.text("program") or ""
    for index in range(source.size("mentorships")):
        here: Trail = ("mentorships", index)
        yield from _check_start(source, (*here, "start"), today)
        key = source.text(*here, "key")
        if key is not None:
            first = keys.setdefault(key, here)
            if first != here:
                yield fault(
                    source.place(*here, "key"),
                    f"the key {quoted(key)} is given twice, first {_where(source, (*first, 'key'), here)}",
                    "Give each mentorship a key of its own.",
                )
        seats = _seats(source, here)
        program = source.text(*here, "program") or cohort_program
        if all_known:
            yield from _check_known(source, seats, participants, staff)
        yield from _check_distinct(source, seats)
        yield from _check_format(source, here, program, formats, seats)
        yield from _check_capacity(source, seats, participants, mentees)
        seated.update(seat.person for seat in seats)
        who = (program, *sorted((seat.key, seat.person) for seat in seats))
        twin = alike.setdefault(who, here)
        if twin != here and seats:
            warnings.append(
                fault(
                    source.place(*here),
                    f"the same people already meet in the same program {_where(source, twin, here)}",
                    "Remove one of the two, if it is a copy.",
                )
            )
    for id_, index in participants.items() if "mentorships" not in source.incomplete else ():
        if id_ not in seated:
            warnings.append(
                fault(
                    source.place("participants", index),
                    f"{quoted(id_)} is in no mentorship and will hear nothing",
                    "Pair this person, or remove the entry.",
                )
            )


def _check_known(
    source: Source, seats: list[FileSeat], participants: Mapping[str, int], staff: set[str]
) -> Iterator[Fault]:
    for seat in seats:
        if seat.person in participants:
            continue
        if seat.person in staff:
            remedy = "This is a coordinator; list the person among the participants as well, in the same words."
        else:
            remedy = suggestion(seat.person, participants, "Add this person to the participants.")
        yield fault(source.place(*seat.trail), f"there is no participant {quoted(seat.person)}", remedy)


def _check_distinct(source: Source, seats: list[FileSeat]) -> Iterator[Fault]:
    seen: dict[str, FileSeat] = {}
    for seat in seats:
        first = seen.setdefault(seat.person, seat)
        if first is seat:
            continue
        if first.key == "mentees" == seat.key:
            problem, remedy = f"{quoted(seat.person)} is named twice", "Name each mentee once."
        else:
            problem, remedy = f"{quoted(seat.person)} is paired with themselves", "Write somebody else."
        yield fault(source.place(*seat.trail), problem, remedy)


def _check_format(
    source: Source, here: Trail, program: str, formats: Mapping[str, str], seats: list[FileSeat]
) -> Iterator[Fault]:
    format_ = formats.get(program)
    if format_ is None:
        return
    count = {key: sum(seat.key == key for seat in seats) for key in ("mentor", "mentees", "peers")}
    match format_:
        case "peer":
            fine, needs = (
                count == {"mentor": 0, "mentees": 0, "peers": 2},
                "exactly two peers; write `peers: [p01, p02]` and no mentor or mentee",
            )
        case "group":
            fine, needs = (
                count["mentor"] == 1 and count["mentees"] >= 2 and not count["peers"],
                "a mentor and at least two mentees; write `mentor: p01` and `mentees: [p02, p03]`",
            )
        case _:
            fine, needs = (
                count == {"mentor": 1, "mentees": 1, "peers": 0},
                "one mentor and one mentee; write `mentor: p01` and `mentee: p02`",
            )
    if not fine:
        what, _, remedy = needs.partition("; ")
        yield fault(
            source.place(*here),
            f"the program `{program}` is for {what}",
            remedy[:1].upper() + remedy[1:] + ", or choose another program.",
        )


def _check_capacity(
    source: Source, seats: list[FileSeat], participants: Mapping[str, int], mentees: dict[str, int]
) -> Iterator[Fault]:
    """Adds this mentorship's mentees to those of its mentor; a fault where they become too many, and only there."""
    for mentor in (seat for seat in seats if seat.key == "mentor"):
        index = participants.get(mentor.person)
        more = sum(seat.key == "mentees" for seat in seats)
        before = mentees.get(mentor.person, 0)
        mentees[mentor.person] = before + more
        if index is None:
            continue
        written = source.at("participants", index, "mentees_at_most")
        at_most = int(written) if isinstance(written, str) and re.fullmatch(r"\d{1,6}", written) else written
        if not isinstance(at_most, int) or isinstance(at_most, bool) or not before <= at_most < before + more:
            continue
        line = _where(source, ("participants", index, "mentees_at_most"), mentor.trail)
        yield fault(
            source.place(*mentor.trail),
            f"{quoted(mentor.person)} takes {at_most} mentees at most ({line}), and this makes {before + more}",
            "Pair the mentee with somebody else, or raise `mentees_at_most`.",
        )


def _warn_of_name(source: Source, person: Trail, warnings: list[Fault]) -> None:
    id_, name = source.text(*person, "id"), source.text(*person, "name")
    if id_ is None or name is None:
        return
    parts = [part for part in re.split(r"[^\w]+", _plain(name)) if len(part) >= 3]
    if any(part in _plain(id_) for part in parts):
        warnings.append(
            fault(
                source.place(*person, "id"),
                "this id holds a part of the person's name, and ids are visible to those who run the engine",
                "Choose one that says nothing, such as p01.",
            )
        )


def _plain(text: str) -> str:
    """Small letters without accents, so that `muller` is found in `Müller`."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))
