"""Rehearsed seasons in which people answer every question by chance: what reports are tested with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from random import Random
from typing import Any

from program.forms import Question
from program.loader import SHIPPED, Loaded, LoadedProgram, load_program
from program.models import Cohort
from rehearsal.behaviour import Behaviour, Coordinator, Reaction
from rehearsal.script_actions import change_happens
from rehearsal.season import RehearsedSeason

START = date(2027, 3, 1)
LAUNCHED = datetime(2027, 2, 1, 9, tzinfo=UTC)
PROGRAMS = ("formal", "reverse", "peer", "group", "informal")
RARELY = {"accept": 0.06, "r_decide": 0.3, "p_help": 0.1, "f_action": 0.15}
"""How often these are answered by chance; else as contented people answer, for they decide how a season goes on."""


@lru_cache(maxsize=1)
def programs() -> dict[str, LoadedProgram]:
    """The shipped programs, each read once."""
    return {name: load_program(SHIPPED / "programs" / f"{name}.yaml") for name in PROGRAMS}


def season(
    seed: int,
    mentorships: int,
    kinds: tuple[str, ...] = PROGRAMS,
    meanwhile: Callable[[RehearsedSeason], None] | None = None,
) -> RehearsedSeason:
    """A season of so many mentorships, played to its end. The same seed is the same season. `meanwhile` is called
    whenever its time moves, before it does."""
    random = Random(f"report/{seed}")
    loaded = Loaded(_cohort(random, seed, mentorships, kinds), programs())
    people = {person.id: _script(random, loaded) for person in loaded.cohort.participants}
    behaviour = Behaviour(people=people, coordinator=Coordinator(decides_after=random.choice((0, 2, 9))))
    rehearsed = RehearsedSeason(
        loaded.cohort,
        loaded.programs,
        loaded.forms,
        behaviour,
        launched_at=LAUNCHED,
        script=change_happens,
        seed=seed,
    )
    return rehearsed.play((lambda _: meanwhile(rehearsed)) if meanwhile else None)


def _cohort(random: Random, seed: int, mentorships: int, kinds: tuple[str, ...]) -> Cohort:
    participants: list[dict[str, Any]] = []
    pairs: list[dict[str, Any]] = []

    def person(name: str) -> str:
        participants.append({"id": name, "name": name, "email": f"{name}@example.org", "zone": "Europe/Berlin"})
        return name

    for number in range(1, mentorships + 1):
        program = random.choice(kinds)
        key = f"m{number}"
        pair: dict[str, Any] = {"key": key, "program": program}
        if program == "peer":
            pair["peers"] = [person(f"{key}a"), person(f"{key}b")]
        else:
            earlier = [each["mentor"] for each in pairs if "mentor" in each]
            again = earlier and random.random() < 0.15
            pair["mentor"] = random.choice(earlier) if again else person(f"{key}m")
            pair["mentees"] = [person(f"{key}e{n}") for n in range(3 if program == "group" else 1)]
        pairs.append(pair)
    return Cohort.model_validate(
        {
            "cohort": f"report-{seed}",
            "title": f"Season {seed}",
            "program": kinds[0],
            "start": START,
            "zone": "Europe/Berlin",
            "coordinators": [{"id": "c1", "name": "Carla", "email": "c1@example.org", "zone": "Europe/Berlin"}],
            "participants": participants,
            "mentorships": pairs,
        }
    )


def _script(random: Random, loaded: Loaded) -> dict[str, Reaction]:
    """What one person does with every form of every program: which one is asked is not known yet."""
    silent = random.choice((0.0, 0.0, 0.1, 0.1, 0.4, 1.0))
    asks: dict[str, dict[str, Any]] = {}
    for used in loaded.used.values():
        for ask in ("invitation", "fit_check", "check_in", "midpoint", "closure", "follow_up"):
            form = used.forms.get(used.program.form_for(ask))
            for question in form.questions if form else ():
                if random.random() < RARELY.get(question.id, 0.9):
                    asks.setdefault(ask, {})[question.id] = answer(random, question)
    asks.get("check_in", {}).pop("p_away", None)
    script = {"default": Reaction(after=random.choice((0, 1, 1, 3, 8)))}
    for ask, answers in asks.items():
        for number in (1, 2, 3, 4, 5):
            never = ask != "invitation" and random.random() < silent
            script[f"{ask}#{number}"] = Reaction(never=never, after=random.choice((0, 1, 4, 11)), answers=answers)
    return script


def answer(random: Random, question: Question) -> Any:
    """An answer to this question by chance; None says that nothing can be said yet."""
    match question.type:
        case "scale":
            return random.choice((1, 2, 3, 4, 4, 5, 5, 5, None))
        case "yes_no":
            return random.random() < 0.7
        case "one":
            return random.choice(question.options).value
        case "many":
            return [option.value for option in question.options if random.random() < 0.3]
        case "number":
            return random.randint(question.least or 0, min(question.most or 20, 20))
        case "group":
            entries = range(random.randint(1, 2))
            return [{field.id: answer(random, field) for field in question.fields} for _ in entries]
        case "text":
            return "Words that no figure may show."
        case _:
            return question.contented
