"""What delivery counts, for those who watch it. Counts of this process since it began; labels are words of ours and
never a name, an address or an id.
"""

from __future__ import annotations

from prometheus_client import Counter, Histogram

OUTCOMES = ("sent", "deferred", "refused", "ambiguous")

MAILS = Counter("mentorship_mails", "Mails that this process handed to the relay or put off.", ("outcome",))
DELAY = Histogram(
    "mentorship_delivery_delay_seconds",
    "How long after the moment that the letterbox names a mail was accepted by the relay (program time).",
    buckets=(1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600),
)

for outcome in OUTCOMES:
    MAILS.labels(outcome)  # there from the beginning, so that a first refusal shows as a change
