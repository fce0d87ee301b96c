"""Which people would not get their mails in the language that the file names for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from program.checks.cohort_checks import PEOPLE
from program.faults import Fault, Place, fault, quoted
from program.files.reading import Source, Trail
from program.languages import base_language, is_language

NAMED_AT_MOST = 40
"""Missing templates that are named; there are some thirty."""


def check_languages(
    source: Source, templates: tuple[Path, ...], missing: Mapping[str, tuple[str, ...]]
) -> Iterator[Fault]:
    """A warning for each language that has not all templates, where it is named first, or at its own folder.

    `templates` are the folders of templates, `missing` what each language lacks of those that there are some for.
    """
    named = _named(source)
    for language, (first, count) in named.items():
        known = language if language in missing else base_language(language)
        if known not in missing:
            about = "everybody with it" if count > 1 else "this person" if len(first) > 1 else "everybody"
            problem = f"there are no mails in {quoted(language)}; {about} gets them in English"
            yield fault(source.place(*first), problem, f"Translate them: put them into templates/mail/{language}/.")
        elif missing[known]:
            yield _incomplete(source.place(*first), language, missing[known])
    for language, lacking in missing.items():
        if lacking and not any(language in (name, base_language(name)) for name in named):
            folder = next((one / language for one in templates if (one / language).is_dir()), templates[-1])
            yield _incomplete(Place(str(folder)), language, lacking)


def _incomplete(place: Place, language: str, lacking: tuple[str, ...]) -> Fault:
    shown = ", ".join(f"{name}.md" for name in lacking[:NAMED_AT_MOST])
    return fault(
        place,
        f"the language {quoted(language)} lacks {len(lacking)} of its mail templates: {shown}",
        "A mail that needs one of them is in English as a whole. Translate them.",
    )


def _named(source: Source) -> dict[str, tuple[Trail, int]]:
    """Language to where it is named first, and how often."""
    trails: list[Trail] = [("language",)]
    trails += [(group, index, "language") for group in PEOPLE for index in range(source.size(group))]
    found: dict[str, tuple[Trail, int]] = {}
    for trail in trails:
        language = source.text(*trail)
        if language is not None and is_language(language):
            first, count = found.get(language, (trail, 0))
            found[language] = (first, count + 1)
    return found
