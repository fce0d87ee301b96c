"""The tables. Column names are the words of the lifecycle; instants are UTC, dates are calendar dates.

Other code imports every table from here: a database is complete only once all of them are known.
"""

from __future__ import annotations

from store.columns import Base as Base
from store.tables.absences import AbsenceRow as AbsenceRow
from store.tables.accounts import CohortReaderRow as CohortReaderRow
from store.tables.accounts import SessionRow as SessionRow
from store.tables.accounts import SignInRow as SignInRow
from store.tables.acts import AuditRow as AuditRow
from store.tables.acts import PlanLineRow as PlanLineRow
from store.tables.acts import PlanRow as PlanRow
from store.tables.cohort_files import CohortFileRow as CohortFileRow
from store.tables.cohorts import CohortPersonRow as CohortPersonRow
from store.tables.cohorts import CohortRow as CohortRow
from store.tables.cohorts import EntryRow as EntryRow
from store.tables.cohorts import ParticipantRow as ParticipantRow
from store.tables.cohorts import ProgramRow as ProgramRow
from store.tables.contacts import AddressChangeRow as AddressChangeRow
from store.tables.contacts import FormerNameRow as FormerNameRow
from store.tables.contacts import SuppressionRow as SuppressionRow
from store.tables.delivery import ItemRow as ItemRow
from store.tables.delivery import MessageRow as MessageRow
from store.tables.forms import AgreementRow as AgreementRow
from store.tables.forms import AnswerRow as AnswerRow
from store.tables.forms import DraftRow as DraftRow
from store.tables.forms import RequestRow as RequestRow
from store.tables.gathering import ApplicationRow as ApplicationRow
from store.tables.gathering import CallRow as CallRow
from store.tables.gathering import MatchingDraftRow as MatchingDraftRow
from store.tables.mail_templates import MailTemplatesRow as MailTemplatesRow
from store.tables.mentorships import EventRow as EventRow
from store.tables.mentorships import MembershipRow as MembershipRow
from store.tables.mentorships import MentorshipRow as MentorshipRow
from store.tables.mentorships import OperationRow as OperationRow
from store.tables.mentorships import OutcomeRow as OutcomeRow
from store.tables.mentorships import StepRow as StepRow
from store.tables.mentorships import TaskRow as TaskRow
from store.tables.notes import NoteRow as NoteRow
from store.tables.reports import ReportChangeRow as ReportChangeRow
from store.tables.reports import ReportReleaseRow as ReportReleaseRow
from store.tables.voices import VoiceConsentRow as VoiceConsentRow
from store.tables.voices import VoiceRow as VoiceRow
from store.tables.voices import VoiceUseRow as VoiceUseRow
from store.tables.workflows import PostmasterRow as PostmasterRow
from store.tables.workflows import RelayRow as RelayRow
from store.tables.written_messages import MessagePlaceRow as MessagePlaceRow
from store.tables.written_messages import WrittenMessageRow as WrittenMessageRow
