"""The tables. Column names are the words of the lifecycle; instants are UTC, dates are calendar dates."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from store.absence_table import AbsenceRow as AbsenceRow
from store.act_tables import AuditRow as AuditRow
from store.act_tables import PlanLineRow as PlanLineRow
from store.act_tables import PlanRow as PlanRow
from store.cohort_file_table import CohortFileRow as CohortFileRow
from store.columns import Base, public_id
from store.contact_tables import AddressChangeRow as AddressChangeRow
from store.contact_tables import FormerNameRow as FormerNameRow
from store.contact_tables import SuppressionRow as SuppressionRow
from store.gathering_tables import ApplicationRow as ApplicationRow
from store.gathering_tables import CallRow as CallRow
from store.gathering_tables import MatchingDraftRow as MatchingDraftRow
from store.mail_template_table import MailTemplatesRow as MailTemplatesRow
from store.message_tables import MessagePlaceRow as MessagePlaceRow
from store.message_tables import WrittenMessageRow as WrittenMessageRow
from store.note_tables import NoteRow as NoteRow
from store.report_tables import ReportChangeRow as ReportChangeRow
from store.report_tables import ReportReleaseRow as ReportReleaseRow
from store.sign_in_tables import CohortReaderRow as CohortReaderRow
from store.sign_in_tables import SessionRow as SessionRow
from store.sign_in_tables import SignInRow as SignInRow
from store.voice_tables import VoiceConsentRow as VoiceConsentRow
from store.voice_tables import VoiceRow as VoiceRow
from store.voice_tables import VoiceUseRow as VoiceUseRow
from store.workflow_tables import PostmasterRow as PostmasterRow
from store.workflow_tables import RelayRow as RelayRow


def _public_id(row: Any) -> str:
    """The public id of a row that is written, made of its key."""
    return public_id(row.get_current_parameters()["key"])


class ParticipantRow(Base):
    """A person who gets mail: participant, coordinator or deputy. One row for one human being."""

    __tablename__ = "participants"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(index=True)
    zone: Mapped[str]
    language: Mapped[str] = mapped_column(default="en")
    profile: Mapped[dict[str, Any]] = mapped_column(default=dict)
    standing: Mapped[str] = mapped_column(default="active")
    """active, left, erased, bounced"""
    reminders_stopped: Mapped[bool] = mapped_column(default=False)
    generation: Mapped[int] = mapped_column(default=1)
    """Raised to revoke every link of this person."""
    last_mail_on: Mapped[date | None]
    """Local date of the last ordinary mail (lifecycle 2.5 d)."""
    corrections: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often the address was corrected. A mail to the new one is another mail than the one to the old."""


class ProgramRow(Base):
    """A program version, frozen with its forms at launch; `hash` is that of the content."""

    __tablename__ = "programs"
    program: Mapped[str] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]]
    forms: Mapped[dict[str, Any]]
    """Form id to form, as the models of `program.forms` dump themselves."""
    frozen_at: Mapped[datetime]


class CohortRow(Base):
    """A launched cohort."""

    __tablename__ = "cohorts"
    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    organisation: Mapped[str] = mapped_column(default="")
    program: Mapped[str]
    program_hash: Mapped[str]
    zone: Mapped[str]
    language: Mapped[str] = mapped_column(default="en")
    start: Mapped[date]
    holidays: Mapped[list[str]] = mapped_column(default=list)
    letterbox: Mapped[dict[str, Any]]
    """`program.models.Letterbox` of the cohort's program."""
    launched_on: Mapped[date]
    launched_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="running")
    """running, cancelled, over"""
    mails: Mapped[str] = mapped_column(default="", server_default="")
    """Digest of the cohort's own mail templates; empty where its mails have the words of the installation."""


class CohortPersonRow(Base):
    """Who coordinates a cohort: role `coordinator` or `deputy`."""

    __tablename__ = "cohort_people"
    cohort: Mapped[str] = mapped_column(ForeignKey("cohorts.id"), primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("participants.id"), primary_key=True)
    role: Mapped[str]


class EntryRow(Base):
    """What the file of a cohort said of a person or a mentorship when it was last launched: by this a later launch
    tells what its coordinator changed from what has happened since. Of names and addresses only marks."""

    __tablename__ = "entries"
    cohort: Mapped[str] = mapped_column(ForeignKey("cohorts.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    """person, mentorship, cohort"""
    id: Mapped[str] = mapped_column(primary_key=True)
    said: Mapped[dict[str, Any]]


class MentorshipRow(Base):
    """One mentorship with the last snapshot of its workflow."""

    __tablename__ = "mentorships"
    cohort: Mapped[str] = mapped_column(ForeignKey("cohorts.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    program: Mapped[str]
    program_hash: Mapped[str]
    format: Mapped[str]
    start: Mapped[date]
    midpoint: Mapped[date]
    end: Mapped[date]
    launched_on: Mapped[date]
    state: Mapped[str] = mapped_column(default="planned")
    """planned (row only), running (workflow started), over"""
    turn: Mapped[int] = mapped_column(default=0)
    """The last batch applied; a batch with this number or a lower one was applied before."""
    turn_at: Mapped[datetime | None]
    """When that turn was taken."""
    furthest: Mapped[int] = mapped_column(default=0)
    """The highest turn ever written; a repeated turn can be lower."""
    first_hash: Mapped[str] = mapped_column(default="", server_default="")
    """The version of its program with which it was launched, where it runs on another one by now; or empty."""
    phase: Mapped[str] = mapped_column(default="onboarding")
    health: Mapped[str] = mapped_column(default="good")
    next_step: Mapped[str] = mapped_column(default="")
    next_on: Mapped[date | None]
    next_at: Mapped[datetime | None]
    awaited: Mapped[list[str]] = mapped_column(default=list)
    open_tasks: Mapped[int] = mapped_column(default=0)
    paused_until: Mapped[str] = mapped_column(default="")
    """ISO date, `open`, or empty"""
    pause_ahead: Mapped[str] = mapped_column(default="", server_default="")
    """A pause that begins later: `2027-03-01/2027-04-19`, `2027-03-01/open`, or empty"""
    held: Mapped[bool] = mapped_column(default=False)
    ending_decided: Mapped[bool] = mapped_column(default=False, server_default=false())
    """The mentorship ends early, or is over."""
    last_life: Mapped[datetime | None]
    """The last sign of life from anyone, as far as a notice asks for it."""
    agreement_open: Mapped[int] = mapped_column(default=0, server_default="0")
    """Number of the agreement step that is open; 0 where none is."""
    agreement_in_force: Mapped[int] = mapped_column(default=0, server_default="0")
    """The version of the agreement that is in force; 0 where none is."""
    ending: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    ended_on: Mapped[date | None]
    proposed: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Its people were matched: their invitation is a proposal, which names the partner and says why."""
    because: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    """Why these were matched, in words about neither by name, the most important first."""
    erasures: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many of its people were erased: a mail worded before such an erasure is worded again."""
    lost_since: Mapped[datetime | None]
    """Real time (UTC) at which it was noticed first that Temporal runs no workflow for it; None while one runs."""
    workflow_state: Mapped[str | None] = mapped_column(Text, deferred=True)
    """What its workflow remembers after the last turn (`lifecycle.saved_state`): ids, dates and decisions. None
    before the first turn, and while only an older release has written turns. Read by name only: it is large."""


class MembershipRow(Base):
    """A participant's seat in a mentorship."""

    __tablename__ = "memberships"
    cohort: Mapped[str] = mapped_column(primary_key=True)
    mentorship: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("participants.id"), primary_key=True, index=True)
    role: Mapped[str]
    standing: Mapped[str] = mapped_column(default="invited")
    """invited, accepted, declined, silent, out"""
    position: Mapped[int] = mapped_column(default=0)
    __table_args__ = (ForeignKeyConstraint(["cohort", "mentorship"], ["mentorships.cohort", "mentorships.key"]),)


class StepRow(Base):
    """A step of a mentorship's plan as last recorded."""

    __tablename__ = "steps"
    cohort: Mapped[str] = mapped_column(primary_key=True)
    mentorship: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    phase: Mapped[str]
    verb: Mapped[str]
    state: Mapped[str]
    """planned, open, settled, skipped"""
    opens: Mapped[date]
    closes: Mapped[date | None]
    settled: Mapped[date | None]
    asked: Mapped[list[str]] = mapped_column(default=list)
    answered: Mapped[list[str]] = mapped_column(default=list)


class RequestRow(Base):
    """One participant, one form, one occasion; `public_id` stands in the signed link."""

    __tablename__ = "requests"
    key: Mapped[str] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True)
    generation: Mapped[int] = mapped_column(default=1)
    cohort: Mapped[str]
    mentorship: Mapped[str]
    ask: Mapped[str]
    number: Mapped[int]
    step: Mapped[str] = mapped_column(index=True)
    person: Mapped[str] = mapped_column(ForeignKey("participants.id"), index=True)
    role: Mapped[str]
    early: Mapped[bool] = mapped_column(default=False)
    opens: Mapped[date]
    closes: Mapped[date]
    closes_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="open")
    """open, answered, closed, withdrawn, superseded"""
    answered_at: Mapped[datetime | None]
    mails: Mapped[int] = mapped_column(default=0)
    """How many mails carried it (lifecycle 2.8)."""
    last_mail_on: Mapped[date | None]
    """Local date of the last mail about it (lifecycle 2.7, too_soon)."""
    met: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Its answer says that people have met."""
    program_hash: Mapped[str] = mapped_column(default="", server_default="")
    """The version of the program whose form it asks; empty: the one by which its mentorship goes."""
    __table_args__ = (
        ForeignKeyConstraint(["cohort", "mentorship"], ["mentorships.cohort", "mentorships.key"]),
        Index("ix_requests_mentorship", "cohort", "mentorship"),
        Index("ix_requests_figures", "cohort", "ask", "state", "mentorship", "met"),
    )


class AnswerRow(Base):
    """What a participant submitted. Versions are kept; the highest counts."""

    __tablename__ = "answers"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    request: Mapped[str] = mapped_column(ForeignKey("requests.key"), index=True)
    version: Mapped[int]
    submission: Mapped[str] = mapped_column(unique=True)
    """Minted when the page was served; the same submission twice is one answer."""
    person: Mapped[str]
    form: Mapped[str]
    form_version: Mapped[int]
    body: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(index=True)
    late: Mapped[bool] = mapped_column(default=False)
    __table_args__ = (UniqueConstraint("request", "version", name="uq_answers_request_version"),)


class DraftRow(Base):
    """A form saved half-way, to be resumed by the same link."""

    __tablename__ = "drafts"
    request: Mapped[str] = mapped_column(ForeignKey("requests.key"), primary_key=True)
    body: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class AgreementRow(Base):
    """One version of a mentorship's agreement and who has signed it."""

    __tablename__ = "agreements"
    cohort: Mapped[str] = mapped_column(primary_key=True)
    mentorship: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    by: Mapped[str]
    body: Mapped[dict[str, Any]]
    signed: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Participant id to {"name": as typed, "at": ISO instant}."""
    at: Mapped[datetime]


class ItemRow(Base):
    """The postbox: one thing told to one person, waiting or done."""

    __tablename__ = "items"
    key: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("participants.id"))
    kind: Mapped[str]
    """request, reminder, notice, receipt, urgent"""
    name: Mapped[str]
    number: Mapped[int]
    cohort: Mapped[str]
    mentorship: Mapped[str] = mapped_column(default="")
    date: Mapped[date]
    request: Mapped[str] = mapped_column(default="")
    task: Mapped[str] = mapped_column(default="")
    about: Mapped[str] = mapped_column(default="")
    after_end: Mapped[bool] = mapped_column(default=False)
    queued_at: Mapped[datetime]
    deliver_at: Mapped[datetime | None]
    """Never later than the true moment; recomputed when it comes. None: held or done."""
    shard: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(default="queued")
    """queued, held (safety or pause), sending, sent, dropped, refused"""
    reason: Mapped[str] = mapped_column(default="")
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often no mail could be made of it."""
    done_at: Mapped[datetime | None]
    message: Mapped[str | None] = mapped_column(ForeignKey("messages.id"), index=True)
    __table_args__ = (
        Index("ix_items_due", "shard", "state", "deliver_at"),
        Index("ix_items_person", "person", "state"),
        Index("ix_items_mentorship", "cohort", "mentorship"),
        Index("ix_items_figures", "cohort", "state"),
    )


class MessageRow(Base):
    """A mail: rendered once and frozen before it is sent. `id` is derived from the keys of its items."""

    __tablename__ = "messages"
    id: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("participants.id"), index=True)
    cohort: Mapped[str]
    shard: Mapped[int] = mapped_column(default=0)
    fast: Mapped[bool] = mapped_column(default=False)
    """Receipts and urgent items: does not use up the day's mail."""
    at: Mapped[datetime]
    """The time of the logical send (the Date header), program time."""
    local_date: Mapped[date]
    recipient: Mapped[str]
    subject: Mapped[str]
    raw: Mapped[str] = mapped_column(Text)
    """The complete message as it goes over the wire."""
    state: Mapped[str] = mapped_column(default="sending")
    """sending, sent, deferred, refused, ambiguous"""
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    claim: Mapped[str] = mapped_column(default="", server_default="")
    """Token of the round that sends it, or has sent it. Only the holder may write what came of it."""
    body_begun: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Set before the body goes out under this claim: from then on nobody can know whether it was accepted."""
    error: Mapped[str] = mapped_column(default="")
    """Class and SMTP code only, never the relay's text (it may hold the address)."""
    sent_at: Mapped[datetime | None]
    bounce: Mapped[str] = mapped_column(default="", server_default="")
    """What was reported after the relay had accepted it: hard, soft, policy, or nothing."""
    forget: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Somebody was erased of whom it may tell: what it says goes as soon as it need not be sent again."""
    __table_args__ = (Index("ix_messages_due", "shard", "state", "next_try_at"),)


class TaskRow(Base):
    """Something a coordinator must decide."""

    __tablename__ = "tasks"
    key: Mapped[str] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(default=_public_id, server_default="", index=True)
    """Stands in the link of a mail about it, which must not say what the task is."""
    cohort: Mapped[str]
    mentorship: Mapped[str]
    """Empty for a task about a whole cohort (`match`)."""
    kind: Mapped[str]
    number: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    about: Mapped[list[str]] = mapped_column(default=list)
    decisions: Mapped[list[str]] = mapped_column(default=list)
    due: Mapped[date]
    opened_at: Mapped[datetime]
    opened_on: Mapped[date]
    closed_at: Mapped[datetime | None]
    closed_on: Mapped[date | None]
    decision: Mapped[str] = mapped_column(default="")
    by: Mapped[str] = mapped_column(default="")
    why: Mapped[str] = mapped_column(Text, default="")
    turn: Mapped[int] = mapped_column(default=0)
    """In which turn of its mentorship it was opened; `closed_in`: closed."""
    closed_in: Mapped[int] = mapped_column(default=0)
    __table_args__ = (Index("ix_tasks_cohort", "cohort", "decision"),)


class EventRow(Base):
    """One line in the record of what happened; append-only."""

    __tablename__ = "events"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    cohort: Mapped[str]
    mentorship: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
    name: Mapped[str]
    person: Mapped[str] = mapped_column(default="")
    detail: Mapped[str] = mapped_column(Text, default="")
    by: Mapped[str] = mapped_column(default="")
    why: Mapped[str] = mapped_column(Text, default="")
    turn: Mapped[int] = mapped_column(default=0)
    """Of the mentorship; 0 for what its workflow did not write."""
    __table_args__ = (Index("ix_events_mentorship", "cohort", "mentorship", "id"),)


class OutcomeRow(Base):
    """How a mentorship ended; final."""

    __tablename__ = "outcomes"
    cohort: Mapped[str] = mapped_column(primary_key=True)
    mentorship: Mapped[str] = mapped_column(primary_key=True)
    ending: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    on: Mapped[date]
    at: Mapped[datetime]
    turn: Mapped[int] = mapped_column(default=0)


class OperationRow(Base):
    """A command that a coordinator or participant gave; the same id twice is one operation."""

    __tablename__ = "operations"
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    cohort: Mapped[str]
    mentorship: Mapped[str] = mapped_column(default="")
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    by: Mapped[str] = mapped_column(default="")
    why: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]
    result: Mapped[str] = mapped_column(default="")
