"""What Temporal and the logs know of people: ids, dates and decisions. No name, no address, no answer."""

from __future__ import annotations

import re
from collections.abc import Iterable

from program.forms import Form
from testing.cohorts.all_cases import FAMILY, POST
from testing.cohorts.cases import SECRET_WORD
from testing.seasons.played_season import NOTED, PlayedSeason

WORTH_LOOKING_FOR = 12
"""Shorter answers, such as `fine`, stand in other words too."""


def private(season: PlayedSeason) -> re.Pattern[bytes]:
    """Everything that must not be seen: names, addresses, and whatever anybody wrote, notes of coordinators too."""
    forms = {form.form: form for forms in season.loaded.forms.values() for form in forms.values()}
    words = {FAMILY, POST, SECRET_WORD, NOTED, *_answers(forms.values())}
    return re.compile(b"|".join(re.escape(word.encode()) for word in sorted(words)), re.IGNORECASE)


def _answers(forms: Iterable[Form]) -> Iterable[str]:
    for form in forms:
        for role in ("mentor", "mentee", "peer"):
            for format_ in ("one_to_one", "group", "peer", "reverse"):
                for answer in form.contented(role, format_).values():
                    if isinstance(answer, str) and len(answer) >= WORTH_LOOKING_FOR:
                        yield answer


def test_temporal_knows_nobody(season: PlayedSeason) -> None:
    secret = private(season)
    assert len(season.traces) > 5000
    assert season.notes_kept == len(season.loaded.cohort.mentorships)
    assert sorted({found[0] for trace in season.traces if (found := secret.search(trace))}) == []


def test_the_logs_name_nobody(season: PlayedSeason) -> None:
    secret = private(season)
    assert any("page" in line for line in season.logs)
    assert [line for line in season.logs if secret.search(line.encode())] == []


def test_the_ledger_names_nobody(season: PlayedSeason) -> None:
    assert not private(season).search(repr(season.ledger).encode())
