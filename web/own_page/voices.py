"""The page of a voice: the exact words, where they would be shown, and the answer. The same page takes a yes back."""

from __future__ import annotations

from datetime import date

from mail.dates import day
from operations.reports.voices import ANSWERS, LONGEST, OTHERS, USES
from program.forms import Option, Question
from store.people.voices import YES, Voice
from web.own_page.questions import ActWords

WAITS = "waits for your answer"


def questions_of(voice: Voice, person: str) -> tuple[Question, ...]:
    """The answer, and for whose words they are the words themselves."""
    own = voice.person == person
    options = tuple(Option(value=value, label=label) for value, label in (ANSWERS if own else OTHERS).items())
    answer = Question(id="answer", type="one", label="May we show it?", required=True, options=options)
    words = Question(
        id="text",
        type="text",
        label="Your words",
        help="Change them as you like. Who is named in them is asked again.",
        longest=LONGEST,
    )
    return (answer, words) if own else (answer,)


def words_of(voice: Voice, person: str, year: int) -> ActWords:
    """What stands above the questions."""
    own, consent = voice.person == person, voice.consent_of(person)
    uses = ", ".join(USES[use] for use in voice.uses)
    shown = () if own else (f"The words, by {voice.name}: “{voice.text}”",)
    said = ()
    if consent is not None and consent.answer in YES and consent.until is not None:
        said = (f"You said yes, until {_on(consent.until, year)}. Answer no to take it back.",)
    return ActWords(
        heading="May we show your words?" if own else "May we show words in which you are named?",
        lead=f"They would be shown in {uses}. Nothing is shown before everybody in it has said yes.",
        follows=(*shown, *said, "A yes counts for two years, and you can take it back here at any time."),
        questions=questions_of(voice, person),
        button="Send my answer",
    )


def state_words(voice: Voice, person: str, today: date) -> str:
    """How it stands, for the list on the own page."""
    consent = voice.consent_of(person)
    if consent is None or not consent.answer:
        return WAITS
    if consent.answer in YES and consent.until is not None and consent.until >= today:
        return f"you said yes, until {_on(consent.until, today.year)}"
    return "is not shown"


def _on(when: date, year: int) -> str:
    return day(when, "en", year)
