"""How simulated people behave: scripted one by one, or dealt from profiles. Read from a behaviour file.

The rehearsal, the demo and the tests all use these models: there is one notion of simulated people.
"""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from lifecycle.tasks import KINDS
from program.durations import Days
from program.models import Id, Model, Role, WallTime


def _share(value: Any) -> Any:
    if isinstance(value, str) and value.strip().endswith("%"):
        return float(value.strip().removesuffix("%")) / 100
    return value


Share = Annotated[float, BeforeValidator(_share), Field(ge=0, le=1)]
"""A share between 0 and 1; `60%` is 0.6."""


class Reaction(Model):
    """What somebody does with a request: when, and with which answers. What is left out comes from `default`."""

    never: bool = False
    """Never answers. `form: never` is the same."""
    after: Days | None = None
    """Days after the local date of the mail that first carried the request."""
    at: WallTime | None = None
    """Wall time of the answer in the person's own zone."""
    answers: dict[str, Any] = {}
    """Question id to answer; other questions take the contented answer of the form."""
    act: Literal["sign", "change"] | None = None
    """What to do with an agreement that lies on the table."""

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: Any) -> Any:
        return {"never": True} if value == "never" else value


class Profile(Model):
    """A kind of person, in probabilities."""

    answers: Share = 0.95
    """Chance that a request is answered."""
    fades: Share = 0.0
    """Lost from that chance with every further request."""
    after: tuple[Days, Days] = (0, 3)
    """Days until the answer, from and to."""
    at: tuple[WallTime, WallTime] = Field(default_factory=lambda: (_time("08:00"), _time("21:00")))
    """Wall times of answers, from and to."""
    low: Share = 0.0
    """Chance that the scales of an answer are low."""
    declines: Share = 0.01
    """Chance to decline the invitation."""
    leaves: Share = 0.0
    """Chance to want another partner at the midpoint."""
    help: Share = 0.01
    """Chance to ask the coordinator to get in touch."""
    withdraws: Share = 0.02
    """Chance to take back an application to an open call."""


def _time(text: str) -> time:
    return time.fromisoformat(text)


PROFILES: dict[str, Profile] = {
    "prompt": Profile(answers=0.99, after=(0, 1)),
    "busy": Profile(answers=0.85, after=(1, 9)),
    "late": Profile(answers=0.9, after=(4, 25)),
    "fading": Profile(answers=0.95, fades=0.12, after=(0, 6)),
    "silent": Profile(answers=0.0),
    "unhappy": Profile(answers=0.9, low=0.6, leaves=0.5, help=0.15),
}
"""The profiles that are shipped; a behaviour file may bring others."""


class Decision(Model):
    """What the simulated coordinator decides of a kind of task."""

    decision: str
    """Which of the task's decisions."""
    until: Days = 14
    """With `pause`: days from the decision."""

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: Any) -> Any:
        return {"decision": value} if isinstance(value, str) else value


class Coordinator(Model):
    """The simulated coordinator; counted from the mail that first carried the task."""

    decides_after: Days = 2
    """Days after the mail that first carried the task."""
    at: WallTime = Field(default_factory=lambda: _time("10:00"))
    """Wall time of decisions."""
    never: bool = False
    """Never decides anything."""
    decisions: dict[str, Decision] = {}
    """Kind of task to decision, or `mentorship/kind` for one mentorship; others take the first decision of their
    list."""
    hours_a_week: float = 4
    """Time for tasks; the rehearsal warns of weeks with more."""

    def decides(self, mentorship: str, kind: str) -> Decision:
        """What becomes of a task of this kind of this mentorship."""
        found = self.decisions.get(f"{mentorship}/{kind}") or self.decisions.get(kind)
        return found or Decision(decision=KINDS[kind][1][0])


class ScriptedAction(Model):
    """Something that happens on a date, at noon in the cohort's zone: one of WHAT, with what belongs to it."""

    on: date
    """When it happens, at noon in the cohort's zone."""
    mentorship: Id | None = None
    """Which mentorship it changes; what concerns a person or the whole cohort has none."""
    pause: Days | None = None
    """For so many days."""
    pause_open: bool = False
    """Without an end."""
    begins: date | None = Field(default=None, alias="from")
    """With `pause` and `pause_open`: a later day on which it begins."""
    tell: bool = False
    """With `pause` and `pause_open`: the others are told the dates."""
    resume: bool = False
    """The pause ends."""
    extend: Days | None = None
    """The end moves later by so much."""
    end: str | None = None
    """The reason with which it ends early."""
    propose_end: Id | None = None
    """This participant proposes to end."""
    leave: Id | None = None
    """This participant leaves."""
    replace: Id | None = None
    """This participant's seat is given to `newcomer`."""
    add: Id | None = None
    """This participant joins a group, as a mentee where no `role` is written."""
    remove: Id | None = None
    """This participant of a group is out."""
    nudge: bool = False
    """Open forms are sent once more."""
    release: bool = False
    """The hold after a safety report ends."""
    cancel: bool = False
    """The whole cohort is cancelled."""
    bounce: Id | None = None
    """From now on this participant's address refuses mail for good."""
    correct: Id | None = None
    """This participant's address is corrected: mail reaches them again."""
    move: Id | None = None
    """This participant lives in `zone` from now on."""
    message: str = ""
    """A coordinator writes these words: to everybody in the cohort, or in `mentorship` or `mentorships`."""
    mentorships: tuple[Id, ...] = ()
    """With `message`: those that it is about."""
    to: tuple[Id, ...] = ()
    """With `message`: these participants alone."""
    newcomer: Id | None = None
    """With `replace`: who takes the seat. A participant of the cohort."""
    role: Role = "mentee"
    """With `add`."""
    zone: str = ""
    """With `move`: an IANA zone."""

    def what(self) -> tuple[str, ...]:
        """Which of WHAT are written; exactly one, in a file that was read."""
        return tuple(name for name in WHAT if getattr(self, name))


WHAT = (
    "pause", "pause_open", "resume", "extend", "end", "propose_end", "leave", "replace", "add", "remove", "nudge",
    "release", "cancel", "bounce", "correct", "move", "message",
)  # fmt: skip
"""What can happen in the script of a season."""
OF_ALL = ("cancel", "bounce", "correct", "move", "message")
"""What concerns a person or the cohort and no single mentorship."""


class Behaviour(Model):
    """A behaviour file."""

    people: dict[Id, dict[str, Reaction]] = {}
    """Participant or applicant id to what that person does with a form: `default`, a form, or one with its number
    such as `check_in#2`. In an open call: `apply` (counted from its opening), `confirm`, `wish` (counted from the
    mail that asks), `withdraw` (counted from the confirmation; left out: never)."""
    applicants: int = Field(default=40, ge=1, le=1000)
    """How many people apply to an open call in a rehearsal that is given no file with applicants."""
    mix: dict[str, Share] = {}
    """Profile to its share of the people who are not scripted; the shares add up to 100%."""
    profiles: dict[str, Profile] = {}
    """Kinds of people of your own, by name. `prompt`, `busy`, `fading`, `silent` and `unhappy` ship."""
    coordinator: Coordinator = Coordinator()
    """What the simulated coordinator does."""
    events: tuple[ScriptedAction, ...] = ()
    """What happens on which date."""

    def profile(self, name: str) -> Profile:
        """A profile of this file, or a shipped one. Raises KeyError for neither."""
        return self.profiles[name] if name in self.profiles else PROFILES[name]
