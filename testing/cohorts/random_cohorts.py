"""Small cohorts and scripts by chance: any programs, zones, answers, silences, decisions and changes.

Everybody acts at a minute of their own, counted in half hours because zones differ by those: what happens in the
very same instant has no order in reality, so that nothing could be compared.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from testing.cohorts.all_cases import POST, wordy
from testing.cohorts.cases import START

ZONES = ("Europe/Berlin", "Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata", "America/Sao_Paulo")
PROGRAMS = (
    "formal", "reverse", "peer", "informal", "pulse", "pulse", "pulse_group", "agreed", "agreed_peer", "agreed_group",
    "halfway", "halfway", "halfway_group", "fit",
)  # fmt: skip
DECISIONS: dict[str, tuple[Any, ...]] = {
    "seat_empty": ("wait", "end"),
    "expectations_differ": ("noted", "nudge", "end"),
    "no_agreement": ("noted", "nudge", {"decision": "pause", "until": "2w"}),
    "low_score": ("noted", "nudge", {"decision": "pause", "until": "3w"}, "end"),
    "stalled": ("noted", "nudge", {"decision": "pause", "until": "10d"}, "end"),
    "silent": ("noted", "nudge", {"decision": "pause", "until": "4w"}, "end"),
    "fit": ("noted", "nudge", "end"),
    "help": ("noted", "nudge", {"decision": "pause", "until": "1w"}),
    "midpoint": ("continue", "reopen_agreement", {"decision": "pause", "until": "3w"}, "end"),
    "safety": ("release", "end"),
    "withdrawn": ("noted", "end"),
    "small_group": ("noted", "end"),
    "bounced": ("noted",),
}
HALF_HOUR = 30
OPTIONS = {"after": 5, "never": 0.12, "changed": 0.8, "cancelled": 0.04}


def cohort(seed: int, mentorships: int = 3) -> tuple[dict[str, Any], dict[str, Any]]:
    """A cohort file and a behaviour file; the same seed, the same files."""
    random = Random(f"cohort/{seed}")
    name = f"chance-{seed}"
    participants: list[Any] = []
    pairs: list[Any] = []
    people: dict[str, Any] = {}
    events: list[Any] = []
    for number in range(1, mentorships + 1):
        key, program = f"m{number}", random.choice(PROGRAMS)
        members = [f"{key}p{seat}" for seat in range(1, 4 if program.endswith("group") else 3)]
        newcomer = f"{key}new"
        for person in (*members, newcomer):
            minute = 1 + 2 * len(participants)
            assert minute < HALF_HOUR, "too many people for a minute each"
            zone = random.choice(ZONES)
            participants.append({"id": person, "name": f"Person {person}", "email": f"{person}@{POST}", "zone": zone})
            people[person] = wordy(_script(random, minute))
        pair: dict[str, Any] = {"key": key, "program": program}
        pair |= {"peers": members} if program.endswith("peer") else {"mentor": members[0], "mentees": members[1:]}
        start = START
        if random.random() < 0.3:
            start = pair["start"] = START + timedelta(days=random.randint(1, 20))
        pairs.append(pair)
        if random.random() < OPTIONS["changed"]:
            events += _changes(random, start, key, members, newcomer, group=program.endswith("group"))
    return {
        "cohort": name,
        "title": "By chance",
        "program": "formal",
        "start": START,
        "zone": random.choice(ZONES),
        "holidays": sorted({START + timedelta(days=random.randint(0, 120)) for _ in range(4)}),
        "coordinators": [{"id": "c1", "name": "Coordinator", "email": f"c1@{POST}", "zone": random.choice(ZONES)}],
        "deputies": [{"id": "d1", "name": "Deputy", "email": f"d1@{POST}", "zone": random.choice(ZONES)}],
        "participants": participants,
        "mentorships": pairs,
    }, {
        "people": people,
        "coordinator": {
            "decides_after": random.choice((0, 1, 4, 12)),
            "at": "10:00",
            "decisions": {kind: random.choice(decisions) for kind, decisions in DECISIONS.items()},
        },
        "events": [{**event, "on": event["on"].isoformat()} for event in _apart(events)],
    }  # fmt: skip


def _script(random: Random, minute: int) -> dict[str, Any]:
    def at() -> str:
        return f"{random.randint(0, 23):02}:{random.choice((0, HALF_HOUR)) + minute:02}"

    def reaction(**answers: Any) -> Any:
        if random.random() < OPTIONS["never"]:
            return "never"
        return {"after": random.randint(0, OPTIONS["after"]), "at": at(), "answers": answers}

    script: dict[str, Any] = {"default": {"after": random.randint(0, 3), "at": at()}}
    if random.random() < 0.05:
        script["default"] = "never"
    script["invitation"] = {"after": random.randint(0, 15), "at": at(), "answers": {"accept": random.random() < 0.97}}
    agreement = reaction()
    if agreement != "never" and random.random() < 0.35:
        agreement["act"] = "change"
    script["agreement"] = agreement
    script["fit_check"] = reaction(
        f_contact=random.choice(("met", "nothing")), f_fit=random.choice((2, 4, 5)),
        f_action=random.choice(("fine", "fine", "nudge", "word", "someone_else")),
    )  # fmt: skip
    for number in (1, 2, 3):
        openness = random.choice((1, 3, 4, 5, 5))
        first = START + timedelta(days=random.randint(10, 120))
        last = first + timedelta(days=random.choice((0, 2, 5, 20)))
        away = [[first.isoformat(), last.isoformat()]] if random.random() < 0.4 else []
        script[f"check_in#{number}"] = reaction(
            p_met=random.choice(("0", "0", "1", "3+")), p_next=random.random() < 0.4, p_open=openness,
            m_open=openness, p_goal=random.choice(("on_track", "on_track", "changed")),
            p_help=random.choice(("no",) * 8 + ("yes", "safety")), p_away=away,
        )  # fmt: skip
    decide = random.choice(("continue", "continue", "change", "pause", "new_partner", "end", "unsure"))
    until = (START + timedelta(days=random.randint(40, 130))).isoformat()
    pause = {"r_until": until} if decide == "pause" else {}
    script["midpoint"] = reaction(r_decide=decide, r_share=random.random() < 0.7, **pause)
    script["closure"] = reaction(c_follow=random.random() < 0.5)
    script["are_you_there"] = reaction(state=random.choice(("fine", "stuck", "stopped")))
    return script


def _changes(
    random: Random, start: date, key: str, members: list[str], newcomer: str, *, group: bool
) -> list[dict[str, Any]]:
    """What befalls a mentorship: one change, or two of which the second takes up the first."""
    somebody, day = random.choice(members), start + timedelta(days=random.randint(-10, 50))
    later = day + timedelta(days=random.randint(1, 25))
    here, other_zone = {"mentorship": key}, random.choice(ZONES)
    kinds: list[list[dict[str, Any]]] = [
        [here | {"pause": random.choice(("2w", "5w"))}],
        [here | {"pause": "3w"}, here | {"resume": True}],
        [here | {"pause_open": True}, here | {"resume": True}],
        [here | {"pause": "4w"}, here | {"pause": "2w"}],
        [here | {"extend": "2w"}, here | {"extend": "1w"}],
        [here | {"end": random.choice(("goals_reached", "no_fault", "transferred", "safeguarding"))}],
        [here | {"propose_end": person} for person in members[:2]],
        [here | {"leave": somebody}, here | {"replace": somebody, "newcomer": newcomer}],
        [here | {"replace": somebody, "newcomer": newcomer}, here | {"leave": newcomer}],
        [here | {"nudge": True}, here | {"release": True}],
        [{"bounce": somebody}, {"correct": somebody}],
        [{"move": somebody, "zone": other_zone}],
    ]
    if group:
        kinds += [
            [here | {"add": newcomer}, here | {"remove": random.choice((newcomer, members[-1]))}],
            [here | {"remove": members[1]}, here | {"remove": members[2]}],
        ]
    if random.random() < OPTIONS["cancelled"]:
        kinds = [[{"cancel": True}]]
    chosen = random.choice(kinds)
    return [{"on": on, **event} for on, event in zip((day, later), chosen, strict=False)]


def _apart(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """No two on one day: they happen at noon, and what happens in the same instant has no order in reality."""
    apart: dict[date, dict[str, Any]] = {}
    for event in sorted(events, key=lambda event: event["on"]):
        day = event["on"]
        while day in apart:
            day += timedelta(days=1)
        apart[day] = event | {"on": day}
    return list(apart.values())
