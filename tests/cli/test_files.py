"""Before anybody is mailed: a file is checked, planned and its mails are looked at; nothing needs a server."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path

import icalendar
import pytest

from mail.letters import NAMES
from operations.cohorts.plan import plan, totals
from operations.cohorts.plan_export import local_time
from program.loader import load_cohort
from rehearsal.behaviour import Behaviour
from rehearsal.ledger import ledger
from rehearsal.script_actions import change_happens
from rehearsal.season import RehearsedSeason
from runtime.links import Links
from runtime.settings import load_settings
from testing.environments.cli_env import CONFIG, ConfigFolder, mentorship

SMALL = str(CONFIG / "cohorts" / "small.yaml")
REALISTIC = str(CONFIG / "cohorts" / "realistic.yaml")
BEFORE = ("--today", "2026-12-01")


@pytest.fixture(autouse=True)
def nothing_answers(installation: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No server, no database: none of these commands may need one."""
    return installation


# -- validate ----------------------------------------------------------------------------------------------------


def test_a_good_file_is_summed_up() -> None:
    said = mentorship("validate", SMALL, *BEFORE)
    assert said.code == 0
    assert "2 mentorships, 4 people" in said.out
    assert said.err == ""


def test_every_fault_is_shown_with_its_place_and_remedy(config_folder: ConfigFolder) -> None:
    path = config_folder.cohort("spoilt")
    spoilt = path.read_text().replace("zone: UTC", "zone: Europe/Berln").replace("mentee: spoilt-b2", "mentee: x")
    path.write_text(spoilt)
    said = mentorship("validate", str(path))
    assert said.code == 1
    assert said.out == ""
    assert f"{path}:5:7: there is no time zone `Europe/Berln`" in said.err
    assert "Europe/Berlin" in said.err
    assert f"{path}:15:42: there is no participant `x`" in said.err
    assert "Nothing was started" in said.err


def test_faults_as_json_are_the_only_output(config_folder: ConfigFolder) -> None:
    path = config_folder.cohort("spoilt", start=date(2020, 1, 1))
    said = mentorship("validate", str(path), "--json")
    assert said.code == 1
    [fault] = said.json["faults"]
    assert (fault["line"], fault["file"]) == (4, str(path))
    assert not said.json["valid"]
    assert said.err == ""


def test_a_cohort_that_runs_may_have_begun(config_folder: ConfigFolder) -> None:
    path = config_folder.cohort("running", start=date(2020, 1, 1))
    assert mentorship("validate", str(path)).code == 1
    assert mentorship("validate", str(path), "--running").code == 0


def test_a_template_that_does_not_render_is_a_fault_of_the_file(config_folder: ConfigFolder) -> None:
    path = config_folder.cohort("spoilt")
    shipped = CONFIG.parent / "templates" / "mail"
    for one in (*shipped.glob("*.*"), *(shipped / "en").glob("*.md")):
        copy = config_folder.folder / "templates" / "mail" / one.relative_to(shipped)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(one.read_text())
    broken = config_folder.folder / "templates" / "mail" / "en" / "farewell.md"
    broken.write_text(broken.read_text() + "\n{{ nobody_knows_this }}\n")
    said = mentorship("validate", str(path))
    assert said.code == 1
    assert f"{broken}:{len(broken.read_text().splitlines())}:" in said.err


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    said = mentorship("validate", str(tmp_path / "nowhere.yaml"))
    assert said.code == 1
    assert "nowhere.yaml" in said.err
    assert "Traceback" not in said.err


# -- plan --------------------------------------------------------------------------------------------------------


def test_the_plan_says_who_gets_what_and_when_in_their_own_zone() -> None:
    said = mentorship("plan", SMALL, *BEFORE, "--mentorship", "m1", "--json")
    mails = said.json["mails"]
    first = {(mail["person"], mail["at"]) for mail in mails[:2]}
    assert first == {("s1", "2027-02-08T09:00+01:00"), ("s2", "2027-02-08T09:00+05:30")}
    assert {item["mentorship"] for mail in mails for item in mail["items"]} == {"m1"}
    items = [item for mail in mails if mail["person"] == "s1" for item in mail["items"]]
    assert [i["number"] for i in items if i["name"] == "check_in" and i["kind"] == "request"] == [1, 2, 3, 4]
    reminder = next(item for item in items if item["kind"] == "reminder")
    assert reminder["condition"] == "unless answered by then"


def test_the_plan_lists_the_follow_up_with_its_condition() -> None:
    said = mentorship("plan", SMALL, *BEFORE, "--mentorship", "m1", "--json")
    items = {
        (mail["person"], item["date"], item["condition"])
        for mail in said.json["mails"]
        for item in mail["items"]
        if item["name"] == "follow_up"
    }
    [step] = [step for step in said.json["steps"] if step["name"] == "follow_up"]
    assert items == {(person, step["opens"], "to those who said yes to it") for person in ("s1", "s2")}


def test_the_plan_is_what_a_season_delivers() -> None:
    """In a season in which everybody answers, each form and each planned notice arrives when the plan said."""
    launched_at = datetime(2026, 12, 1, 12, tzinfo=UTC)
    loaded = load_cohort(REALISTIC)
    at_eight = {"default": {"after": "0d", "at": "20:00"}}
    behaviour = Behaviour.model_validate({"people": {one.id: at_eight for one in loaded.cohort.participants}})
    season = RehearsedSeason(
        loaded.cohort, loaded.programs, loaded.forms, behaviour, launched_at=launched_at, script=change_happens
    ).play()
    came = {
        (mail["person"], item["mentorship"], item["name"], item["number"], item["kind"]): mail["at"]
        for mail in ledger(season)["mails"]
        for item in mail["items"]
    }
    planned = {
        (mail.person, item.mentorship, item.name, item.number, item.kind): local_time(mail)
        for mail in plan(loaded, launched_at).mails
        for item in mail.items
        if item.kind != "reminder" and item.name not in ("farewell", "follow_up")
    }
    assert len(planned) > 500
    assert {key: came.get(key) for key in planned} == planned


def test_the_plan_as_a_table() -> None:
    said = mentorship("plan", SMALL, *BEFORE)
    assert said.code == 0
    assert "Mon 2027-02-08" in said.out
    assert "09:00 Asia/Kolkata" in said.out
    assert "Deepak Raman" in said.out


def test_the_plan_as_csv_has_a_row_for_each_thing() -> None:
    said = mentorship("plan", SMALL, *BEFORE, "--csv", "--separator", ",")
    rows = list(csv.DictReader(io.StringIO(said.out.removeprefix("\ufeff"))))
    assert rows[0]["name"] == "Deepak Raman"
    assert rows[0]["date"] == "2027-02-08"
    assert rows[0]["time"] == "09:00"
    by_mail = groupby(rows, key=lambda row: (row["date"], row["person"]))
    assert any(len(list(items)) > 1 for _, items in by_mail), "no mail carries several things"


def test_a_spreadsheet_that_splits_at_semicolons_opens_the_csv(config_folder: ConfigFolder, tmp_path: Path) -> None:
    path = config_folder.cohort("umlaute", 1, names={"a1": "Jörg Müller; Ä"})
    plain = subprocess.run(
        [Path(sys.executable).with_name("mentorship"), "plan", path, "--csv"], capture_output=True, check=True
    )
    assert plain.stdout.startswith(b"\xef\xbb\xbf"), "without a byte order mark Excel takes it for another encoding"
    assert plain.stdout.count(b"\n") == plain.stdout.count(b"\r\n")
    rows = list(csv.DictReader(io.StringIO(plain.stdout.decode("utf-8-sig")), delimiter=";"))
    assert "Jörg Müller; Ä" in {row["name"] for row in rows}
    assert None not in rows[0]


def test_the_plan_begins_with_its_summary_and_a_large_one_is_no_more() -> None:
    small = mentorship("plan", SMALL, *BEFORE).out
    assert small.index("90 mails to 4 people") < small.index("Each mail") < small.index("Deepak Raman")
    large = mentorship("plan", REALISTIC, *BEFORE).out
    assert len(large.splitlines()) < 60
    assert "Each mail" not in large
    assert "--all lists every mail" in large
    assert "Each mail" in mentorship("plan", REALISTIC, *BEFORE, "--all").out
    assert "Each mail" in mentorship("plan", REALISTIC, *BEFORE, "-m", "m01").out


def test_the_summary_counts_what_the_plan_lists() -> None:
    loaded = load_cohort(REALISTIC)
    planned = plan(loaded, datetime(2026, 12, 1, 12, tzinfo=UTC))
    for one in totals(planned):
        gets = [
            (local_time(mail)[:10], mail.person)
            for mail in planned.mails
            for item in mail.items
            if (item.name, item.number, item.kind) == (one.name, one.number, one.kind)
        ]
        assert one.people == len({person for _, person in gets})
        assert (str(one.first), str(one.last)) == (min(gets)[0], max(gets)[0])
    assert len(totals(planned)) == len(
        {(item.name, item.number, item.kind) for mail in planned.mails for item in mail.items}
    )


def test_a_name_that_a_spreadsheet_would_calculate_is_text(config_folder: ConfigFolder) -> None:
    path = config_folder.cohort("sums", 1, names={"a1": '"=1+1"'})
    said = mentorship("plan", str(path), "--csv").out.removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(said), delimiter=";"))
    assert {row["name"] for row in rows if row["person"] == "sums-a1"} == {"'=1+1"}


def test_the_plan_as_a_calendar(tmp_path: Path) -> None:
    file = tmp_path / "plan.ics"
    assert mentorship("plan", SMALL, *BEFORE, "--ics", str(file)).code == 0
    calendar = icalendar.Calendar.from_ical(file.read_bytes())
    events = calendar.walk("VEVENT")
    assert str(events[0]["summary"]) == "Invitation → 4 people"
    assert events[0].decoded("dtstart") == date(2027, 2, 8)
    assert "Deepak Raman (m1), 09:00 Asia/Kolkata" in str(events[0]["description"])
    assert len({str(event["uid"]) for event in events}) == len(events)
    assert mentorship("plan", SMALL, *BEFORE, "--ics", "-").out.encode() == file.read_bytes().replace(b"\r\n", b"\n")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["plan", SMALL, *BEFORE, "--mentorship", "m9"], "the file has no mentorship `m9`; it has m1, m2"),
        (["plan", SMALL, *BEFORE, "--json", "--csv"], "choose one of"),
        (["preview", "invitatoin"], "did you mean `invitation`?"),
        (["preview", "invitation", "--format", "duo"], "write `one_to_one`"),
        (["preview", "invitation", "--format", "peer", "--role", "mentor"], "write `peer`"),
        (["preview", "task_opened", "--task", "sefety"], "did you mean `safety`?"),
    ],
)
def test_what_does_not_exist_is_answered_with_what_does(words: list[str], says: str) -> None:
    said = mentorship(*words)
    assert said.code == 2
    assert says in said.err


# -- preview -----------------------------------------------------------------------------------------------------


def test_the_mails_are_listed() -> None:
    names = mentorship("preview").out.split()
    assert {"invitation", "farewell", "task_opened"} <= set(names)
    for name in names:
        assert mentorship("preview", name).code == 0, name


def test_a_mail_is_shown_in_any_wording() -> None:
    number_two = mentorship("preview", "check_in", "--number", "2", "--role", "mentor").out
    assert number_two.startswith("Check-in 2")
    assert "Jonas" in number_two
    reminder = mentorship("preview", "check_in", "--reminder", "1").out
    assert reminder != mentorship("preview", "check_in").out
    assert "safety" in mentorship("preview", "task_opened", "--task", "safety").out


def test_a_mail_is_shown_as_html_and_raw(tmp_path: Path, nothing_answers: pytest.MonkeyPatch) -> None:
    # One click to stop the reminders needs https, as in the mails that go out.
    nothing_answers.setenv("MENTORSHIP_PUBLIC_URL", "https://mentoring.example.org")
    file = tmp_path / "mail.html"
    assert mentorship("preview", "invitation", "--html", str(file)).code == 0
    assert file.read_text().lstrip().lower().startswith("<!doctype html")
    assert mentorship("preview", "invitation", "--html", "-").out == file.read_text()
    raw = mentorship("preview", "invitation", "--raw").out
    assert "\nAuto-Submitted: auto-generated\n" in raw
    assert "\nList-Unsubscribe-Post: " in raw


def test_a_mail_is_shown_as_a_cohort_will_get_it(config_folder: ConfigFolder) -> None:
    path = config_folder.cohort("spring", 1, title="Spring at Example Works", start=date(2027, 3, 1))
    said = mentorship("preview", "invitation", "--cohort", str(path))
    assert said.code == 0, said.err
    assert "Spring at Example Works" in said.out
    assert "Petra Novák" in said.out
    assert "Monday 1 March to Monday 30 August" in said.out
    assert "Please answer by: Monday 22 February" in said.out
    task = mentorship("preview", "task_opened", "--cohort", str(path)).out
    assert "/c/tasks/" in task
    assert "spring/m1" not in task, "a link to a task says nothing of it"


def test_the_reader_of_a_preview_may_be_somebody_of_the_file(config_folder: ConfigFolder) -> None:
    path = str(config_folder.cohort("spring", 1, names={"a1": "Özlem Kaya"}))
    for who in ("spring-a1", "A1@spring.example.org", "özlem kaya"):
        said = mentorship("preview", "check_in", "--cohort", path, "--person", who, "--raw")
        assert re.search(r"^To: =\?utf-8\?\S+ <a1@spring\.example\.org>$", said.out, re.MULTILINE), who
    unknown = mentorship("preview", "check_in", "--cohort", path, "--person", "spring-a2")
    assert (unknown.code, unknown.out) == (2, "")
    assert "did you mean spring-a1?" in unknown.err


def test_a_format_that_the_cohort_lacks_is_refused(config_folder: ConfigFolder) -> None:
    said = mentorship("preview", "check_in", "--cohort", str(config_folder.cohort("spring")), "--format", "group")
    assert said.code == 2
    assert "the cohort has no program of the format group; write `one_to_one`" in said.err


def test_every_mail_can_be_shown_for_a_cohort_of_any_format() -> None:
    for cohort in (SMALL, REALISTIC):
        for name in NAMES:
            said = mentorship("preview", name, "--cohort", cohort, *(("--number", "2") if name == "check_in" else ()))
            assert said.code == 0, (cohort, name, said.err)


def test_a_language_without_mails_is_refused() -> None:
    said = mentorship("preview", "invitation", "--language", "deutsch")
    assert said.code == 2
    assert "no language of mails 'deutsch'" in said.err
    assert mentorship("preview", "invitation", "--language", "en-GB").code == 0


def test_links_in_a_preview_have_the_form_of_the_real_ones(nothing_answers: pytest.MonkeyPatch) -> None:
    nothing_answers.setenv("MENTORSHIP_PUBLIC_URL", "https://mentoring.example.net/x")
    real = Links.of(load_settings())
    said = mentorship("preview", "invitation").out
    links = re.findall(r"https?://\S+?(?=[\s)])", said)
    assert {re.sub(r"/[^/]+$", "", link) for link in links} == {
        f"https://mentoring.example.net/x/{kind}" for kind in ("f", "me", "stop")
    }
    token = next(link for link in links if "/f/" in link).rpartition("/")[2]
    assert len(token) == len(real.request_token("4kX9q2mZ7vB1", 1))
    assert real.read_request(token) is None, "it opens nothing"


# -- a folder of one's own ---------------------------------------------------------------------------------------


def test_commands_use_the_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own"
    for name in ("cohorts", "programs", "templates/mail/en"):
        (own / name).mkdir(parents=True)
    small = Path(SMALL).read_text().replace("cohort: small ", "cohort: winter ")
    (own / "cohorts" / "winter.yaml").write_text(small)
    (own / "programs" / "formal.yaml").write_text("program: formal\nextends: formal\nlength: 20w\n")
    template = (CONFIG.parent / "templates" / "mail" / "en" / "check_in.md").read_text("utf-8")
    (own / "templates" / "mail" / "en" / "check_in.md").write_text(
        template.replace("Check-in {{", "Ours {{"), "utf-8"
    )
    monkeypatch.setenv("MENTORSHIP_CONFIG", str(own))
    said = mentorship("validate", "winter", *BEFORE)
    assert said.code == 0, said.err
    assert f"Reading {own / 'cohorts' / 'winter.yaml'}" in said.err
    planned = mentorship("plan", "config/cohorts/winter.yaml", *BEFORE, "--json")
    assert planned.code == 0, planned.err
    assert mentorship("preview", "check_in").out.startswith("Ours 1")
    assert mentorship("rehearse", "winter", "--people", "mixed", "--launched", "2027-02-01").code == 0


def test_an_own_folder_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MENTORSHIP_CONFIG", str(tmp_path / "nowhere"))
    said = mentorship("validate", SMALL, *BEFORE)
    assert said.code == 1
    assert "MENTORSHIP_CONFIG: there is no such folder" in said.err


def test_a_warning_has_its_label(tmp_path: Path) -> None:
    (tmp_path / "cohorts").mkdir()
    path = tmp_path / "cohorts" / "spring.yaml"
    path.write_text(Path(SMALL).read_text().replace("language: en  ", "language: de  ", 1))
    said = mentorship("validate", str(path), *BEFORE)
    assert said.code == 0
    assert f"{path}:14:11: warning: there are no mails in `de`; everybody gets them in English" in said.err
