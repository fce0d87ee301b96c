"""Who applied and was left out: counted again by code of its own, and shown to no reader in small numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import product
from random import Random

import pytest

from reports import applied_figures
from reports.applied_figures import KEPT, lots, tables, tables_for_passing_on
from reports.gate import SMALLEST
from reports.rows import ApplicantFacts, Lot
from reports.tables import Cell, Table
from reports.titles import titled, together
from testing.report_attacker import learned
from testing.seasons.chance_applicants import applicants, call

SINGLE = ("unit", "grade", "profession")
SEVERAL = ("languages", "identity")


def a_lot(seed: int, most: int = 120) -> list[ApplicantFacts]:
    """People who applied, by chance."""
    random = Random(f"applied/{seed}")
    seated = [role for role in ("mentee", "mentor") for _ in range(random.randint(0, most))]
    return applicants(random, seated, random.choice((0, 3, 8, 20, most)))


def counted(people: Iterable[ApplicantFacts]) -> Counter[tuple[str, str, str, bool]]:
    """(role, question, answer, seated) to people, by the words of docs/reports.md."""
    found: Counter[tuple[str, str, str, bool]] = Counter()
    for one in people:
        role = "mentor" if one.role == "mentor" else "mentee"
        found[role, "", "", one.seated] += 1
        for question in SINGLE:
            said = one.answers.get(question)
            found[role, question, said if said and said != "Elsewhere" else "", one.seated] += 1
        for question in SEVERAL:
            asked_for = question != "identity" or one.answers.get("identity_wanted") is True
            for said in one.answers.get(question, ()) if asked_for else ():
                found[role, question, said, one.seated] += 1
    return found


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_every_number_is_counted_again(first: int) -> None:
    form, matching = call()
    for seed in range(first, first + 50):
        people = a_lot(seed)
        expected = counted(people)
        shown: Counter[tuple[str, str, str, bool]] = Counter()
        left_out = {role for role, question, _, seated in expected if not question and not seated}
        for table in tables(lots(people, form, matching)):
            if table.shown:
                _, _, role, *rest = table.id.split(".", 4)
                question = rest[0].rpartition("-")[0] if rest else ""
                value = rest[1] if rest else ""
                assert table.total.count == sum(cell.count for cell in table.cells)
                for cell, seated in zip(table.cells, (True, False), strict=True):
                    shown[role, question, value, seated] += cell.count
        assert +shown == Counter({key: n for key, n in expected.items() if not key[1] or key[0] in left_out})


def test_nobody_is_compared_by_words_or_against_their_will() -> None:
    """A text is no attribute; a shared identity counts only for those who asked for it."""
    form, matching = call()
    one = ApplicantFacts("both", False, {"identity": ["carer"], "manager": "Ann", "identity_wanted": False})
    asked = ApplicantFacts("mentee", True, {"identity": ["carer"], "identity_wanted": True, "unit": "Legal"})
    [lot] = lots([one, asked], form, matching)
    assert (lot.role, lot.placed, lot.others) == ("mentee", 1, 1)
    by_field = {attribute.field: attribute for attribute in lot.attributes}
    assert set(by_field) == {*SINGLE, *SEVERAL}
    [carer] = [part for part in by_field["identity"].parts if part.value == "carer"]
    assert (carer.placed, carer.others) == (1, 0)
    [empty] = [part for part in by_field["unit"].parts if not part.value]
    assert (empty.placed, empty.others) == (0, 1)


def test_counts_are_kept_as_they_were() -> None:
    found = lots(a_lot(1), *call())
    assert KEPT.validate_python(KEPT.dump_python(found, mode="json")) == found
    assert "Words that no figure may show" not in KEPT.dump_json(found).decode()


def test_a_yes_or_no_of_a_rule_is_an_attribute() -> None:
    form, matching = call()
    question = next(each for each in form.questions if each.id == "identity_wanted")
    remote = question.model_copy(update={"id": "unit", "roles": (), "label": "Do you work at home?"})
    form = form.model_copy(update={"questions": (remote,)})
    people = [ApplicantFacts("peer", seated, {"unit": said}) for seated, said in ((True, True), (False, False))]
    [lot] = lots(people, form, matching)
    [attribute] = lot.attributes
    assert [(part.value, part.placed, part.others) for part in attribute.parts] == [
        ("yes", 1, 0), ("no", 0, 1), ("", 0, 0),
    ]  # fmt: skip


def test_the_tables_of_an_attribute_stand_together() -> None:
    found = [table for table in tables(lots(a_lot(3), *call())) if table.shown]
    groups = together(found)
    assert len({titled(group[0]) for group in groups}) == len(groups) > 4
    assert all(len({titled(table) for table in group}) == 1 for group in groups)


# -- for passing on ------------------------------------------------------------------------------------------------


def is_small(cell: Cell) -> bool:
    return 0 < cell.count < 5


def test_an_attacker_who_knows_how_many_got_a_seat_learns_nothing() -> None:
    """Linear equations over all tables of all roles and attributes; seats are known from elsewhere."""
    hidden = 0
    for seed in range(100):
        found = lots(a_lot(seed), *call())
        truth, (shown, _) = tables(found), tables_for_passing_on(found)
        seats = [
            Table(f"seats.{lot.role}", "", "", (cell := Cell(f"p/{lot.role}/placed", "", lot.placed, 99)), (cell,))
            for lot in found
            if lot.placed >= SMALLEST
        ]
        assert learned(truth, [*shown, *seats]) == {}
        small = {cell.name for table in truth for cell in (table.total, *table.cells) if is_small(cell)}
        told = {cell.name for table in shown for cell in (table.total, *table.cells) if table.shown and cell.count}
        assert not small & told
        hidden += len(small)
    assert hidden > 500


def test_the_attacker_finds_what_is_shown_without_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applied_figures, "gated", list)
    found = [lots(a_lot(seed), *call()) for seed in range(10)]
    assert any(learned(tables(one), tables_for_passing_on(one)[0]) for one in found)


def test_a_small_number_of_seats_takes_the_tables_with_it() -> None:
    few = [ApplicantFacts("mentee", at > 2, {"unit": "Legal"}) for at in range(30)]
    shown, left_out = tables_for_passing_on(lots(few, *call()))
    assert shown == []
    assert left_out == {"Got a seat: people who wanted a mentor": "fewer than 5 people would be told of"}
    everybody = [ApplicantFacts("mentee", True, {"unit": "Legal"}) for _ in range(30)]
    shown, _ = tables_for_passing_on(lots(everybody, *call()))
    assert [table.id for table in shown] == ["reach.applied.mentee"]
    halves = [ApplicantFacts("mentee", at < 20, {"unit": "Legal" if at % 2 else "Health"}) for at in range(26)]
    shown, left_out = tables_for_passing_on(lots(halves, *call()))
    assert "Where do you work? (people who wanted a mentor)" in left_out
    assert [table.id for table in shown if ".unit-" in table.id] == []


@pytest.mark.many
def test_no_small_number_has_only_one_value_that_it_can_be() -> None:
    """Whole numbers: who knows the rule, the totals and every number shown, and tries all others."""
    tried = 0
    for seed in range(300):
        for lot in lots(a_lot(seed, most=14), *call()):
            shown = {table.id: table for table in tables_for_passing_on([lot])[0] if table.crossed}
            for attribute in lot.attributes:
                place = f"reach.applied.{lot.role}.{attribute.field}-{attribute.mark}."
                group = [shown[place + part.value] for part in attribute.parts if place + part.value in shown]
                if attribute.several or not group:
                    continue
                possible = every_way(group, lot)
                for at, part in enumerate(attribute.parts):
                    for which, count in ((0, part.placed), (1, part.others)):
                        values = {way[which] for way in possible[at]}
                        assert count in values
                        if 0 < count < SMALLEST:
                            tried += 1
                            assert len(values) > 1, (seed, attribute.field, part, values)
    assert tried > 200


def every_way(group: list[Table], lot: Lot) -> list[set[tuple[int, int]]]:
    """Of each part the (seats, none) that it can have, such that all add up to what is known of the lot."""
    allowed = [
        {
            (yes, no)
            for yes, no in product(range(lot.placed + 1), range(lot.others + 1))
            if fits(table.cells[0], yes, table) and fits(table.cells[1], no, table)
            and fits(table.total, yes + no, table)
        }
        for table in group
    ]  # fmt: skip
    before = [{(0, 0)}]
    for ways in allowed:
        before.append(sums(before[-1], ways, lot))
    after = [{(0, 0)}]
    for ways in reversed(allowed):
        after.append(sums(after[-1], ways, lot))
    after.reverse()
    return [
        {
            (yes, no)
            for yes, no in ways
            if any((lot.placed - yes - a, lot.others - no - b) in after[at + 1] for a, b in before[at])
        }
        for at, ways in enumerate(allowed)
    ]


def sums(these: set[tuple[int, int]], those: set[tuple[int, int]], lot: Lot) -> set[tuple[int, int]]:
    found = {(a + c, b + d) for (a, b), (c, d) in product(these, those)}
    return {(a, b) for a, b in found if a <= lot.placed and b <= lot.others}


def fits(cell: Cell, count: int, table: Table) -> bool:
    """Whether a reader who knows the rule takes this for possible."""
    all_hidden = all(each.state == "hidden" for each in table.cells)
    known: Mapping[str, bool] = {
        "exact": count == cell.count,
        "few": 0 < count < SMALLEST,
        "hidden": count >= SMALLEST or (all_hidden and cell in table.cells),
    }
    return known[cell.state]
