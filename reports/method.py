"""What a report says of itself: who was asked what and when, what is left out and why."""

from __future__ import annotations

from datetime import date

from reports.answer_figures import ASK_WORDS, versions
from reports.gate import SMALLEST
from reports.season_report import LINES_FROM, Compared, Report
from reports.statistics import INTERVAL_BELOW, PERCENT_FROM
from reports.tables import in_words


def method(report: Report, compared: Compared | None = None) -> list[str]:
    """The method in sentences."""
    season = report.season
    matched = report.table("reach.said_yes")
    many = in_words(matched.total) if matched else "the"
    found = [
        f"Counted are {many} mentorship{'' if many == '1' else 's'} of {season.cohort}"
        + (f" with {len({seat.person for seat in season.seats})} people" if report.exact else "")
        + f", as of the end of {season.as_of:%Y-%m-%d}. Nobody was sampled: everybody with a seat was asked.",
    ]
    if asked := _asked(report):
        found.append("Asked were: " + ", ".join(asked) + ".")
    used = versions(answer.form for answer in season.answers)
    if used:
        listed = (f"{name} {'/'.join(map(str, numbers))}" for name, numbers in used.items())
        found.append("Versions of the forms: " + ", ".join(listed) + ". Answers in other words are counted apart.")
    found += [
        "Free texts, notes to partners and what was written about a concern are in no figure. Who was erased stays"
        " in the counts without their words; what they chose from a list is not kept, so it counts as left open.",
        "Meetings are those that people told of: at the end what they remember, before it the sum of the check-ins.",
        f"Below {PERCENT_FROM} there are no percentages; below {INTERVAL_BELOW} they come with their 95 % interval"
        " (Wilson).",
    ]
    if report.exact:
        found.append(
            f"This copy has exact numbers and single mentorships. The copy for passing on hides numbers below"
            f" {SMALLEST}. Lines of single people are drawn from {LINES_FROM} people on."
        )
    else:
        found.append(
            f"Numbers below {SMALLEST} people are not shown, nor are others from which they could be computed. A"
            f" table that was passed on before stays as it was until at least {SMALLEST} people have moved in it."
        )
    if compared is not None:
        found.append(
            f"Compared with {compared.earlier.season.title}, question by question, where the words were the same."
        )
    found.append(
        "The questions are ours and no validated scale. There is no comparison group: this shows no cause. Who did"
        " not answer may think otherwise."
    )
    return found


def _asked(report: Report) -> list[str]:
    """Each ask with the days on which its first mails went out; without them in a copy for passing on, where fewer
    than five people were asked."""
    mailed: dict[str, list[date]] = {}
    people: dict[str, set[str]] = {}
    for request in report.season.requests:
        mailed.setdefault(request.ask, [])
        people.setdefault(request.ask, set()).add(request.person)
        if request.first_mail is not None:
            mailed[request.ask].append(request.first_mail.date())
    found: list[str] = []
    for ask in sorted(mailed, key=[*ASK_WORDS, *_OTHER].index):
        words, days = ASK_WORDS.get(ask, ask.replace("_", " ")), mailed[ask]
        told = days and (report.exact or len(people[ask]) >= SMALLEST)
        found.append(f"{words} ({min(days)} to {max(days)})" if told else words)
    return found


_OTHER = ("agreement", "are_you_there", "application", "concern", "wish")
