"""Every fault of a file is found where it stands, says what is wrong, and says what to write instead."""

# ruff: noqa: E501  (one fault a line reads as a table)
from __future__ import annotations

from collections.abc import Collection
from datetime import date
from pathlib import Path

import pytest

from mail.template_check import check_templates
from program.files.folders import SHIPPED
from program.loader import Fault, Faults, load_cohort
from program.models import Format
from testing.environments.config_files import COHORT, FILES, FROM_CSV, PAIRS, PEOPLE, lay, spoil

TODAY = date(2026, 11, 22)


def faults_of(cohort: Path) -> list[Fault]:
    with pytest.raises(Faults) as raised:
        load_cohort(cohort, TODAY)
    return list(raised.value.faults)


COHORT_FAULTS = [
    # (what, what stood there, what stands there now with the place marked, the problem, the remedy)
    ("unknown key", "zone: Europe/B", "§zoen: Europe/B", "unknown key `zoen`", "mean `zone`?"),
    ("unknown key far from any", "holidays: [", "§xylophone: [", "unknown key `xylophone`", "Known here are cohort, "),
    ("unknown key of a person", "mentees_at_most: 1", "§mentees_max: 1", "`mentees_max`", "mean `mentees_at_most`?"),
    ("unknown key of a pair", "{key: m1, mentor:", "{key: m1, §mentro:", "key `mentro`", "mean `mentor`?"),
    ("missing key", "    name: Amelie Vossberg\n", "", "`name` is missing", "Add `name: …`."),
    ("duplicate key", "title: A cohort", "title: A\n§title: B", "`title` stands here twice, first in line 2", "Keep"),
    ("empty value", "zone: Europe/Berlin", "§zone:", "`zone` is empty", "Write a value"),
    ("bad zone", "Europe/Berlin", "§Europe/Berln", "no time zone `Europe/Berln`", "mean `Europe/Berlin`"),
    ("bad zone of a person", "Asia/Kolkata", "§Kolkata", "no time zone `Kolkata`", "mean `Asia/Kolkata`?"),
    ("zone as abbreviation", "Asia/Kolkata", "§PST", "no time zone `PST`", "mean `America/Los_Angeles`?"),
    ("zone like nothing", "Asia/Kolkata", "§qqqqqq", "no time zone `qqqqqq`", "such as Europe/Berlin"),
    ("id twice", "id: p4", "id: §p3", "the id `p3` is given twice, first in line 15", "an id of their own"),
    ("address twice", "jannis@e", "§AMELIE@e", "this address is given twice, first in line 12", "list that person once"),
    ("key twice", "key: m2", "key: §m1", "the key `m1` is given twice, first in line 18", "a key of its own"),
    ("nobody of that id", "mentee: p4", "mentee: §p44", "no participant `p44`", "mean `p4`?"),
    ("a coordinator as mentor", "mentor: p3", "mentor: §c1", "no participant `c1`", "This is a coordinator"),
    ("with oneself", "mentee: p4", "mentee: §p3", "`p3` is paired with themselves", "somebody else"),
    ("over capacity", "mentor: p3", "mentor: §p1", "`p1` takes 1 mentees at most (in line 13)", "raise"),
    ("two mentees", "mentee: p4", "mentees: [p4, p2]", "is for one mentor and one mentee", "Write `mentor: p01`"),
    ("no mentee", ", mentee: p4", "", "is for one mentor and one mentee", "`mentee: p02`"),
    ("peers for mentoring", "mentor: p3, mentee: p4", "peers: [p3, p4]", "is for one mentor and one", "`mentor: p01`"),
    ("mentee and mentees", "mentee: p4", "mentees: [p4], §mentee: p4", "stand here both", "Keep one"),
    ("a start in the past", "2027-03-01", "§2026-03-01", "start 2026-03-01 lies in the past", "Write 2026-11-22 or"),
    ("a pair's start in the past", "mentee: p4", "mentee: p4, start: §2026-11-21", "in the past", "Write 2026"),
    ("a start that no calendar has", "2027-03-01", "§2027-02-30", "`2027-02-30` is no date", "year-month-day"),
    ("a start as a number", "2027-03-01", "§20270301", "is no date", "year-month-day"),
    ("a start out of reach", "2027-03-01", "§9999-12-31", "9999-12-31 is out of reach", "Check the year"),
    ("bad holiday", "2027-03-26", "§26.3.2027", "`26.3.2027` is no date", "such as 2027-03-01"),
    ("bad address", "jannis@example.org", "§jannis@", "this is no mail address: there must be", "somebody@"),
    ("letters before the @", "jannis@example.org", "§jännis@example.org", "not known to take", "MENTORSHIP_SMTP_UTF8"),
    ("a coordinator's letters", "konrad@example.org", "§kónrad@example.org", "people write back to", "plain letters"),
    ("an address as id", "id: p4", "id: §jannis@example.org", "`id` is an address", "says nothing about the person"),
    ("an id with a blank", "id: p4", "id: §p 4", "`p 4` is no id", "Use letters"),
    ("an id read as a number", "id: p4", "id: §4", "`id` is read as a number", "Put it in quotes"),
    ("a name that is a list", "name: Deepak Raman", "name: §[Deepak]", "`name` should be one text", "single value"),
    ("a list that is none", "[2027-03-26]", "§2027", "`holidays` should be a list", "lines that begin with `-`"),
    ("capacity that is no number", "at_most: 1", "at_most: §many", "`many` is no number", "whole number"),
    ("no such program", "program: tiny", "program: §tinny", "no program `tinny`", "mean `tiny`?"),
    ("no such program of a pair", "{key: m2,", "{key: m2, program: §inform,", "no program `inform`", "`informal`?"),
    ("no such file of people", "holidays", "people: §nobody.csv\nholidays", "no file `nobody.csv`", "folder of this file"),
    ("people that are no file", "holidays", "people: §[]\nholidays", "`people` should be a file name", "`people: people.csv`"),
    ("broken YAML", "holidays: [2027-03-26]", "holidays: [2027-03-26\ncoordinator§: x", "no valid YAML", "brackets"),
    ("a tab", "    email: amelie", "§\temail: amelie", "no valid YAML", "Check indentation"),
    ("a key that is a list", "title: A cohort", "? §[a]\n: b", "a key must be a word", "`key: value`"),
    ("an alias in itself", "[2027-03-26]", "§&x [*x]", "an alias refers to what it stands in", "Write it out"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "old", "new", "problem", "remedy"), COHORT_FAULTS, ids=[f[0] for f in COHORT_FAULTS]
)
def test_a_fault_of_a_cohort(tmp_path: Path, what: str, old: str, new: str, problem: str, remedy: str) -> None:
    line = column = None
    if "§" in new:
        text, line, column = spoil(COHORT, old, new)
    else:
        assert COHORT.count(old) == 1
        text = COHORT.replace(old, new)
    cohort = lay(tmp_path, {"cohorts/c.yaml": text})
    found = [fault for fault in faults_of(cohort) if problem in fault.problem]
    assert len(found) == 1, f"{what}: {faults_of(cohort)}"
    assert found[0].file == str(cohort)
    if line is not None:
        assert (found[0].line, found[0].column) == (line, column)
    assert remedy in found[0].remedy
    assert str(found[0]) == f"{cohort}:{found[0].line}:{found[0].column}: {found[0].problem}. {found[0].remedy}"


OTHER_FAULTS = [
    ("programs/tiny.yaml", "program: tiny", "program: §small", "called `small`, and its file `tiny`", "rename the file"),
    ("programs/tiny.yaml", "length: 12w", "length: §three months", "`three months` is no duration", "Write a number"),
    ("programs/tiny.yaml", "length: 12w", "length: §999999w", "`999999w` is too long", "Ten years at most"),
    ("programs/tiny.yaml", "length: 12w", "length: §3d", "lasts a week at least", "`length: 26w`"),
    ("programs/tiny.yaml", "length: 12w", "length: 12w\nformat: §one2one", "`one2one` is no `format`", "`one_to_one`"),
    ("programs/tiny.yaml", "start - 21d", "§begin - 21d", "`begin - 21d` is no step date", "Write start, midpoint"),
    ("programs/tiny.yaml", "reminders: [4d, 9d]", "reminders: [4d, §14d]", "on or after the close", "earlier reminder"),
    ("programs/tiny.yaml", "reminders: [4d, 9d]", "reminders: [9d, §4d]", "one after the other", "[4d, 9d]"),
    ("programs/tiny.yaml", "reminders: [4d, 9d]", "§remind: [4d, 9d]", "unknown key `remind`", "mean `reminders`?"),
    ("programs/tiny.yaml", "check_ins: null", "check_ins: {every: §0d}", "need a day between", "`every: 30d`"),
    ("programs/tiny.yaml", 'opens: "09:00"', "opens: §900", "900 is no time of day", 'such as "09:00"'),
    ("programs/tiny.yaml", 'opens: "09:00"', "opens: §nine", "`nine` is no time of day", 'such as "09:00"'),
    ("programs/tiny.yaml", 'closes: "18:00"', "closes: §08:00", "closes before it opens", "a later time"),
    ("programs/tiny.yaml", "days: [mon, tue, wed, thu, fri]", "days: §[]", "opens on no day", "days: [mon,"),
    ("programs/tiny.yaml", "[mon, tue,", "[mon, §tuesday,", "`tuesday` is no `days`", "mean `tue`?"),
    ("programs/tiny.yaml", "silent: 4", "§silence: 4", "there is no task `silence`", "mean `silent`?"),
    ("programs/tiny.yaml", "silent: 4", "silent: §-1", "-1 is no number of working days", "0 (today)"),
    ("programs/tiny.yaml", "closure: closure", "§closing: closure", "asked as `closing`", "mean `closure`?"),
    ("programs/tiny.yaml", "closure: closure", "closure: §closuer", "no form `closuer`", "mean `closure`?"),
    ("forms/closure.yaml", "form: closure", "form: §close", "called `close`, and its file `closure`", "rename the file"),
    ("forms/closure.yaml", "{id: c_nps,", "{id: §c_note,", "`c_note` is of the type `number` here", "another id"),
    ("forms/closure.yaml", "  - {id: c_follow, type: yes_no, label: Later?}\n", "", "`c_follow` of `closure` forms", "Put it back"),
    ("forms/invitation.yaml", "id: accept", "id: accepted", "`accept` of `invitation` forms", "called `accepted`"),
    ("forms/closure.yaml", "label: A line", "label: A line, formats: [group]", "lacks it in the format one_to_one", "Put it"),
    ("forms/closure.yaml", "type: number", "type: §scale", "read `c_nps` as `number`", "Write `type: number`"),
    ("forms/closure.yaml", "most: 10", "most: 5", "`c_nps` must go from 0 to 10", "`most: 10`"),
    ("forms/closure.yaml", "    options:\n      - {value: \"no\", label: No}\n", "    §options:\n", "values `no` of `p_help`", "Put them back"),
    ("forms/closure.yaml", "type: yes_no", "type: §yesno", "`yesno` is no `type`", "mean `yes_no`?"),
    ("forms/closure.yaml", "label: A line", 'label: §"A line for {partnr}"', "`{partnr}` is nothing", "mean `partner`?"),
    ("forms/closure.yaml", "label: A line", 'label: §"A } line"', "a brace stands alone", "}}"),
    ("forms/closure.yaml", 'contented: "no"', 'contented: §nay', "`contented` answer of the question `p_help`", "options"),
    ("forms/closure.yaml", "now: 4}", "now: 9}", "`contented` answer of the question `goals`", "`group`"),
    ("forms/closure.yaml", "most: 2", "most: 2\n    §options: [{value: a, label: A}]", "has options, but", "remove the"),
    ("forms/closure.yaml", "{id: now, type: scale", "{id: now, type: §sign", "can't be of the type `sign`", "of its own"),
    ("forms/closure.yaml", "{id: now,", "{id: §what,", "the field `what` stands here twice", "Rename"),
    ("forms/closure.yaml", "{value: safety, label: Safety}", "{value: safety, label: S}\n      - §{value: safety, label: P}", "value `safety` twice", "Keep one"),
    ("forms/invitation.yaml", "[mentor, peer]", "[mentor, mentee]", "`i_goals` stands here twice", "part them"),
    ("forms/invitation.yaml", "title: Invitation", "minutes: §-1\ntitle: Invitation", "`minutes` must lie", "how long"),
    ("forms/invitation.yaml", "title: Invitation\n", "", "`title` is missing", "Add `title"),
    ("forms/closure.yaml", "label: A line", "label: A line, when: {§p_halp: safety}", "no such question", "a question that stands before it"),
    ("forms/closure.yaml", "label: A line", "label: A line, when: {§c_contct: close}", "no such question", "mean `c_contact`?"),
    ("forms/closure.yaml", "label: A line", "label: A line, when: {§c_give: later}", "which stands after it", "Move it before"),
    ("forms/closure.yaml", "label: A line", "label: A line, when: {§c_note: x}", "depends on its own answer", "Name the question before it"),
    ("forms/closure.yaml", "label: A line", "label: A line, when: {c_contact: §never}", "has no answer `never`", "regularly, now_and_then, close"),
    ("forms/closure.yaml", "label: A line", "label: A line, when: {c_contact: [close, §clsoe]}", "has no answer `clsoe`", "mean `close`?"),
    ("forms/closure.yaml", "label: A line", "label: A line, §when: {c_contact: close, c_give: later}", "depends on 2 questions", "Keep the one"),
    ("forms/closure.yaml", "label: A line", "label: A line, §fold: More, required: true", "is required, and", "Remove `fold`"),
    ("forms/closure.yaml", "label: A line", "label: A line, §tick: Yes", "has a `tick`, but its type is `text`", "`type: yes_no`"),
    ("forms/closure.yaml", "label: Later?", "label: Later?, when: {§c_note: x}", "which is of the type `text`", "`yes_no`, `one` or `many`"),
    ("forms/closure.yaml", "label: Later?", "label: Later?, when: {c_give: §true}", "no answer `true`", "yes, later, no"),
    ("forms/closure.yaml", "label: Recommend?,", "label: Recommend?, when: {c_follow: §maybe},", "no answer `maybe`", "true, false"),
    ("forms/closure.yaml", "scale, label: Now}", "scale, label: Now, §when: {c_follow: true}}", "field of a group can't have `when`", "at the group"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "problem", "remedy"), OTHER_FAULTS, ids=[f"{f[0]}: {f[3]}" for f in OTHER_FAULTS]
)
def test_a_fault_of_a_program_or_form(
    tmp_path: Path, file: str, old: str, new: str, problem: str, remedy: str
) -> None:
    text, line, column = FILES[file].replace(old, new), None, None
    if "§" in new:
        text, line, column = spoil(FILES[file], old, new)
    assert text != FILES[file]
    found = [fault for fault in faults_of(lay(tmp_path, {file: text})) if problem in fault.problem]
    assert len(found) == 1
    assert found[0].file == str(tmp_path / file)
    if line is not None:
        assert (found[0].line, found[0].column) == (line, column)
    assert remedy.lower() in found[0].remedy.lower()


TANGLED = [
    ("label: A line}", "label: A line, when: {§c_give: later}}", "    label: Mentor?\n", "    label: Mentor?\n    when: {c_note: x}\n",
     "`c_note` and `c_give` each depend on the answer to the other"),
    ("label: A line}", "label: A line, roles: [mentor]}", "label: Later?}", "label: Later?, when: {§c_note: x}}",
     "is not asked of everybody who gets this one, such as a mentee"),
    ("label: Later?}", "label: Later?, when: {c_give: later}}", "label: Recommend?,", "label: Recommend?, when: {§c_follow: true},",
     "`c_nps` depends on `c_follow`, which depends on `c_give` itself"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "also", "becomes", "problem"), TANGLED, ids=[each[4] for each in TANGLED])
def test_conditions_that_are_tangled(
    tmp_path: Path, old: str, new: str, also: str, becomes: str, problem: str
) -> None:
    before = FILES["forms/closure.yaml"]
    assert before.count(old) == before.count(also) == 1
    marked = before.replace(old, new).replace(also, becomes)
    line = marked.partition("§")[0].count("\n") + 1
    found = faults_of(lay(tmp_path, {"forms/closure.yaml": marked.replace("§", "")}))
    assert (line, True) in [(fault.line, problem in fault.problem) for fault in found]


CSV_FAULTS = [
    ("people.csv", "p3,Caroline", "§p2,Caroline", "the id `p2` is given twice, first in line 3", "an id of their own"),
    ("people.csv", "jannis@example.org", "§deepak@example.org", "address is given twice, first in line 3", "once"),
    ("people.csv", "jannis@example.org", "§jannis", "no mail address", "somebody@"),
    ("people.csv", "Asia/Kolkata", "§Asia/Kolkatta", "no time zone `Asia/Kolkatta`", "`Asia/Kolkata`"),
    ("people.csv", ",,,1,Berlin", ",,,§lots,Berlin", "`lots` is no number", "whole number"),
    ("people.csv", ",de,,Kiel", ",de,,Kiel,§more", "this row has 8 cells, the header only 7", "double quotes"),
    ("people.csv", "id,name,email", "§id,name,e_mail", "column `email` is missing", "called `e_mail`"),
    ("people.csv", ",zone,", ",§id,", "the column `id` stands here twice", "Keep one"),
    ("people.csv", "p3,Caroline Sedgwick,c", "§p3,,c", "`name` is missing", "Add `name"),
    ("people.csv", "p3,Caroline", '§p3,"Caroline', "no valid CSV", "double quotes"),
    ("people.csv", "p4,Jannis", "§p4@example.org,Jannis", "`id` is an address", "p01"),
    ("pairs.csv", "m2,,p3", "m2,,§p5", "no participant `p5`", "Add this person"),
    ("pairs.csv", "p3,p4", "p3,§p3", "paired with themselves", "somebody else"),
    ("pairs.csv", "m2,,p3", "§m1,,p3", "key `m1` is given twice, first in line 2", "of its own"),
    ("pairs.csv", "m2,,p3", "m2,,§p1", "`p1` takes 1 mentees at most (in ", "raise"),
    ("pairs.csv", "m2,,p3", "m2,§tny,p3", "no program `tny`", "mean `tiny`?"),
    ("pairs.csv", "p3,p4,", "p3,p4 p2,", "is for one mentor and one mentee", "`mentee: p02`"),
    ("pairs.csv", "2027-04-01", "§2026-04-01", "2026-04-01 lies in the past", "or a later date"),
    ("pairs.csv", "2027-04-01", "§1.4.2027", "`1.4.2027` is no date", "such as 2027-03-01"),
    ("pairs.csv", ",peers,", ",§pears,", "unknown column `pears`", "mean `peers`?"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "problem", "remedy"), CSV_FAULTS, ids=[f[3] for f in CSV_FAULTS])
def test_a_fault_of_a_csv(tmp_path: Path, file: str, old: str, new: str, problem: str, remedy: str) -> None:
    files = {"people.csv": PEOPLE, "pairs.csv": PAIRS}
    line = column = None
    if "§" in new:
        files[file], line, column = spoil(files[file], old, new)
    else:
        files[file] = files[file].replace(old, new)
    cohort = lay(tmp_path, {"cohorts/c.yaml": FROM_CSV} | {f"cohorts/{name}": text for name, text in files.items()})
    found = [fault for fault in faults_of(cohort) if problem in fault.problem]
    assert len(found) == 1
    assert found[0].file == str(tmp_path / "cohorts" / file)
    if line is not None:
        assert (found[0].line, found[0].column) == (line, column)
    assert remedy in found[0].remedy


MEMBERS = [
    ("peer", "peers: [p1, p2]", None),
    ("peer", "mentor: p1, mentee: p2", "exactly two peers"),
    ("peer", "peers: [p1, p2, p3]", "exactly two peers"),
    ("peer", "peers: [p1, p1]", "`p1` is paired with themselves"),
    ("group", "mentor: p4, mentees: [p1, p2]", None),
    ("group", "mentor: p4, mentees: [p1]", "a mentor and at least two mentees"),
    ("group", "mentees: [p1, p2]", "a mentor and at least two mentees"),
    ("group", "mentor: p4, mentees: [p2, p2]", "`p2` is named twice"),
    ("group", "mentor: p4, mentees: [p2, p4]", "`p4` is paired with themselves"),
    ("reverse", "mentor: p1, mentee: p2", None),
    ("reverse", "mentor: p1, mentees: [p2]", None),
    ("reverse", "mentor: p1", "one mentor and one mentee"),
]


@pytest.mark.parametrize(("format_", "members", "problem"), MEMBERS)
def test_members_fit_the_format(tmp_path: Path, format_: str, members: str, problem: str | None) -> None:
    program = FILES["programs/tiny.yaml"].replace("length: 12w", f"length: 12w\nformat: {format_}")
    text = COHORT[: COHORT.index("mentorships:")] + "mentorships:\n  - {key: m1, " + members + "}\n"
    cohort = lay(tmp_path, {"programs/tiny.yaml": program, "cohorts/c.yaml": text})
    if problem is None:
        assert load_cohort(cohort, TODAY).cohort.mentorships[0].key == "m1"
    else:
        assert [fault.line for fault in faults_of(cohort) if problem in fault.problem] == [18]


def test_all_faults_of_all_files_come_at_once_in_their_order(tmp_path: Path) -> None:
    text = COHORT.replace("Europe/Berlin", "Nowhere").replace("mentee: p4", "mentee: p9").replace("jannis@", "j")
    program = FILES["programs/tiny.yaml"].replace("14d", "8d").replace("silent", "quiet")
    form = FILES["forms/closure.yaml"].replace("c_nps", "nps").replace("Mentor?", "'{x}'")
    changed = {"cohorts/c.yaml": text, "programs/tiny.yaml": program, "forms/closure.yaml": form}
    cohort = lay(tmp_path, changed)
    found = faults_of(cohort)
    places = [(Path(fault.file).stem, fault.line) for fault in found]
    assert places == [("c", 5), ("c", 16), ("c", 19), ("closure", 4), ("closure", 10), ("tiny", 12), ("tiny", 23)]
    assert str(Faults(found)).splitlines() == [str(fault) for fault in found]


def test_a_fault_says_no_name_and_no_address(tmp_path: Path) -> None:
    text = COHORT.replace("jannis@example.org", "jannis@@example.org").replace("Amelie Vossberg", "[Vossberg]")
    text = text.replace("deepak@example.org", "caroline@example.org")
    printed = "\n".join(map(str, faults_of(lay(tmp_path, {"cohorts/c.yaml": text}))))
    assert [word for word in ("jannis", "Vossberg", "caroline") if word in printed] == []


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        (b"", 1, "the file holds no keys"),
        (b"- a\n- b\n", 1, "the file holds no keys"),
        (b"cohort: c\ntitle: M\xfcller\n", 2, "the file is not UTF-8"),
        (b"cohort: c\n---\ncohort: d\n", 2, "no valid YAML"),
        (b"cohort: c\x00\n", 1, "no valid YAML"),
        (b"cohort: " + b"[" * 600, 1, "nested too deeply"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, content: bytes, line: int, problem: str) -> None:
    found = faults_of(lay(tmp_path, {"cohorts/c.yaml": content}))
    assert [(fault.line, problem in fault.problem) for fault in found] == [(line, True)]


def test_a_file_of_aliases_that_explodes_is_refused(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for n in range(1, 9):
        bomb += f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]\n"
    assert any("too large" in fault.problem for fault in faults_of(lay(tmp_path, {"cohorts/c.yaml": bomb})))


def test_no_such_file(tmp_path: Path) -> None:
    assert [fault.problem for fault in faults_of(tmp_path / "nothing.yaml")] == ["there is no such file"]


def test_a_template_that_does_not_render_is_a_fault(tmp_path: Path) -> None:
    asked: list[tuple[tuple[Path, ...], set[str]]] = []

    def check(folders: tuple[Path, ...], formats: Collection[Format]) -> list[tuple[str, int, str]]:
        asked.append((folders, set(formats)))
        return [("invitation.md", 7, "'partnr' is undefined")]

    cohort = lay(tmp_path, {"templates/mail/en/invitation.md": "Hello {{ partnr }}"})
    with pytest.raises(Faults) as raised:
        load_cohort(cohort, TODAY, check)
    assert str(raised.value).startswith("invitation.md:7:1: this template does not render: 'partnr' is undefined. ")
    shipped = SHIPPED.parent / "templates" / "mail"
    assert asked == [((tmp_path / "templates" / "mail", shipped), {"one_to_one"})]


def test_the_shipped_templates_render(tmp_path: Path) -> None:
    assert load_cohort(lay(tmp_path), TODAY, check_templates).cohort.cohort == "c"


WARNINGS = [
    ("id: p4", "id: §tiedemann", "this id holds a part of the person's name", "such as p01"),
    ("id: c1", "id: §achterberg1", "this id holds a part of the person's name", "such as p01"),
    ("  - {key: m2, mentor: p3, mentee: p4}\n", "", "`p3` is in no mentorship", "Pair this person"),
    ("{key: m2, mentor: p3, mentee: p4}", "§{key: m2, mentor: p1, mentee: p2}", "already meet", "Remove one"),
    ("cohort: c", "cohort: §other", "the cohort is called `other`, and its file `c`", "The cohort's id"),
]


@pytest.mark.parametrize(("old", "new", "problem", "remedy"), WARNINGS)
def test_a_warning(tmp_path: Path, old: str, new: str, problem: str, remedy: str) -> None:
    line = column = None
    text = COHORT.replace("    mentees_at_most: 1\n", "")
    if "§" in new:
        text, line, column = spoil(text, old, new)
    else:
        text = text.replace(old, new)
    text = text.replace("mentee: p4", "mentee: tiedemann") if "tiedemann" in new else text
    found = [
        one for one in load_cohort(lay(tmp_path, {"cohorts/c.yaml": text}), TODAY).warnings if problem in one.problem
    ]
    assert len(found) == 1
    assert remedy in found[0].remedy
    if line is not None:
        assert (found[0].line, found[0].column) == (line, column)


def test_steps_that_can_never_happen_are_warned_of(tmp_path: Path) -> None:
    program = FILES["programs/tiny.yaml"].replace("length: 12w", "length: 2w").replace("[4d, 9d]", "[2d, 4d, 6d]")
    loaded = load_cohort(lay(tmp_path, {"programs/tiny.yaml": program}), TODAY)
    assert [(one.line, one.problem) for one in loaded.warnings] == [
        (10, "`give_up` falls on or after the end of a mentorship of 14 days"),
        (12, "only two reminders of `invitation` are ever sent"),
        (20, "`winding_down` falls before the start of a mentorship of 14 days"),
    ]


def test_a_relay_that_takes_letters_before_the_at_lets_participants_have_them(tmp_path: Path) -> None:
    cohort = lay(tmp_path, {"cohorts/c.yaml": COHORT.replace("jannis@example.org", "jännis@bücher.example.org")})
    loaded = load_cohort(cohort, TODAY, utf8=True)
    assert "jännis@bücher.example.org" in {one.email for one in loaded.cohort.participants}
    assert [fault.problem for fault in faults_of(cohort)] == [
        "the mail relay is not known to take the letters before the @"
    ]
