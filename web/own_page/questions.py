"""What a person is asked on their own page, as questions like those of any form; and what each act says of itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mail.dates import language_name
from operations.people.own_page import CONCERNS, PAUSE_REASONS, Act
from program.forms import Option, Question
from store.people.own_page import OwnMentorship


@dataclass(frozen=True, slots=True)
class ActWords:
    """What the page of an act says before its button."""

    heading: str
    lead: str
    follows: tuple[str, ...]
    """What happens then."""
    button: str
    questions: tuple[Question, ...] = ()


PAUSE = ActWords(
    heading="Pause this mentorship",
    lead="The pause begins when you press the button, or on a later day, and holds for everybody in this mentorship.",
    follows=(
        "Nothing goes out and nothing falls due until the pause ends.",
        "Everything that is not done yet, the end included, then lies later by the length of the pause.",
        "The others see the days on their own pages. The reason is for the coordinators only.",
        "You can end the pause, or take it back, at any time.",
    ),
    button="Pause",
    questions=(
        Question(
            id="from",
            type="date",
            label="From which day on?",
            help="Leave it empty to pause from now on.",
        ),
        Question(
            id="until",
            type="date",
            label="On which day does it go on?",
            help="Leave it empty if you don’t know yet. The coordinators are then asked from time to time.",
        ),
        Question(
            id="reason",
            type="one",
            label="Why?",
            options=tuple(Option(value=value, label=label) for value, label in PAUSE_REASONS.items()),
        ),
        Question(
            id="tell",
            type="many",
            label="Shall we write to the others?",
            help="One mail, at once.",
            options=(Option(value="yes", label="Tell the others (the dates only, not the reason)"),),
        ),
    ),
)
END = ActWords(
    heading="Propose to end this mentorship",
    lead="This says that you would like to finish before the planned end, with nobody to blame.",
    follows=(
        "A coordinator is told, and talks with you.",
        "When everybody in the mentorship proposes it, it ends at once.",
        "An early end has a proper closing: one last short form, and a farewell.",
    ),
    button="Propose to end it",
    questions=(
        Question(
            id="reason",
            type="one",
            label="How is it?",
            required=True,
            options=(
                Option(value="goals_reached", label="We have reached what we wanted"),
                Option(value="no_fault", label="It is time to stop"),
            ),
        ),
    ),
)
LEAVE = ActWords(
    heading="Leave this mentorship",
    lead="You leave for yourself alone, at once. You need not say why. It can’t be undone.",
    follows=(
        "You get no more mail about this mentorship, and none of its forms.",
        "The others are told that you have left, and a coordinator looks after them.",
        "What you have answered stays with the coordinators. To have it removed, ask to be erased.",
        "If you only need time, a pause keeps your seat.",
    ),
    button="Leave for good",
)
ERASE = ActWords(
    heading="Ask to be erased",
    lead="A coordinator is asked to remove everything that says who you are, and all that you wrote.",
    follows=(
        "The coordinators of your cohort get a task with your name, and carry it out. They may ask you first.",
        "Once it is done it can’t be undone: your seat, your answers and your links are gone.",
        "Your partner only learns that somebody has left the program. Bare numbers stay, with no name on them.",
        "Until then everything goes on. To stop at once, leave the mentorship.",
    ),
    button="Ask to be erased",
)
NEW_ADDRESS = Question(id="email", type="text", label="The new address", required=True, longest=120)
ADDRESS = ActWords(
    heading="Another address",
    lead="Your mails go to another address once you have confirmed it from both: the old one and the new one.",
    follows=(
        "Each of the two gets a mail with a link, at once. It can be confirmed for seven days.",
        "Until both have confirmed it, mail goes to the address that we have.",
        "Once it is changed, the link to this page is a new one: it comes with the next mail.",
    ),
    button="Write to both addresses",
    questions=(NEW_ADDRESS,),
)
ADDRESS_BY_DESK = ActWords(
    heading="Another address, without the old one",
    lead="If you can’t read mail at the old address any more, a coordinator is asked to change it for you.",
    follows=(
        "Because this page can’t know that it is you, a coordinator makes sure of it first.",
        "Until then mail goes to the address that we have.",
        "Once it is changed, the link to this page is a new one: it comes with the next mail.",
    ),
    button="Ask a coordinator",
    questions=(NEW_ADDRESS,),
)
ACTS: Mapping[Act, ActWords] = {"pause": PAUSE, "end": END, "leave": LEAVE}


def words_of(act: Act, seat: OwnMentorship) -> ActWords:
    """What the page of an act says for this seat: a person who would be told of a pause is called by their role."""
    words = ACTS[act]
    partner = {"mentor": "mentee", "mentee": "mentor", "peer": "partner"}.get(seat.role)
    if act != "pause" or seat.format == "group" or partner is None:
        return words
    tell = words.questions[-1]
    option = Option(value="yes", label=f"Tell my {partner} (the dates only, not the reason)")
    named = tell.model_copy(update={"label": f"Shall we write to your {partner}?", "options": (option,)})
    return replace(words, questions=(*words.questions[:-1], named))


def concern_questions(seats: Sequence[OwnMentorship]) -> tuple[Question, ...]:
    """What a concern says. Which mentorship is asked where there are several."""
    deciders = {coordinator.id: coordinator for seat in seats for coordinator in seat.coordinators}
    coordinators = {id_: each for id_, each in deciders.items() if each.role == "coordinator"}
    questions = [
        Question(
            id="kind",
            type="one",
            label="What is it about?",
            required=True,
            options=tuple(Option(value=value, label=label) for value, label in CONCERNS.items()),
        ),
        Question(
            id="text",
            type="text",
            label="What happened?",
            help="As much or as little as you like. Only coordinators read it.",
            required=True,
            longest=5000,
        ),
        Question(id="contact", type="yes_no", label="May we contact you about it?", required=True),
        Question(
            id="how",
            type="text",
            label="How and when do you like to be contacted?",
            help="For instance a telephone number, or an address that nobody else reads.",
            longest=120,
        ),
        Question(
            id="danger",
            type="yes_no",
            label="Is anybody in danger now?",
            help="If so, please call for help first: the number stands at the top of this page.",
        ),
    ]
    if len(deciders) > 1:
        options = tuple(Option(value=id_, label=coordinator.name) for id_, coordinator in coordinators.items())
        note = "The person you choose is not told. It goes to the others, or to a deputy."
        questions.insert(
            2, Question(id="about", type="many", label="Is it about a coordinator?", help=note, options=options)
        )
    if len(seats) > 1:
        options = tuple(Option(value=place_of(seat), label=title_of(seat)) for seat in seats)
        questions.insert(
            0, Question(id="where", type="one", label="Which mentorship?", required=True, options=options)
        )
    return tuple(questions)


def details_questions(language: str, offered: Iterable[str]) -> tuple[Question, ...]:
    """What a person can correct at once. `language` is theirs; mails can be had in those that are `offered`."""
    questions = [
        Question(id="name", type="sign", label="Name", required=True, longest=200),
        Question(
            id="zone",
            type="text",
            label="Time zone",
            help="As area and city, such as Europe/Berlin. Mail comes in the daytime there.",
            required=True,
        ),
    ]
    languages = sorted({*offered, language})
    if len(languages) > 1:
        options = tuple(Option(value=code, label=language_name(code)) for code in languages)
        questions.append(
            Question(id="language", type="one", label="Language of your mails", required=True, options=options)
        )
    return tuple(questions)


def place_of(seat: OwnMentorship) -> str:
    """A mentorship as the value of a field and as the end of a path."""
    return f"{seat.cohort}/{seat.mentorship}"


def title_of(seat: OwnMentorship) -> str:
    """How a person calls one of their mentorships."""
    if seat.format == "group":
        return f"Your group in {seat.cohort_title}"
    return f"With {' and '.join(seat.partners)}" if seat.partners else seat.program_title
