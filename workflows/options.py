"""One registry of timeouts, retry policies and failure types. Durations are real time."""

from __future__ import annotations

from datetime import timedelta

from temporalio.common import RetryPolicy

REFUSED = "Refused"
"""Type of the failure that tells a sender why an update makes no sense; its message is for people."""

AT_ONCE_WITHIN = timedelta(seconds=10)
"""How long a turn may try to be carried out inside its workflow task before it becomes an activity of its own,
where its failures show in the Temporal UI."""

TRY_AT_ONCE = RetryPolicy(initial_interval=timedelta(milliseconds=200), backoff_coefficient=2.0, maximum_attempts=3)
"""Within AT_ONCE_WITHIN: for a database that was busy for a moment."""

UNTIL_IT_WORKS = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=2.0, maximum_interval=timedelta(minutes=1)
)
"""Without end: a database or a relay that is away comes back, and nothing is given up meanwhile."""

ONE_TURN = timedelta(seconds=60)
"""One transaction in SQL."""

ONE_ROUND = timedelta(hours=2)
"""One round of the postmaster; it heartbeats."""

ONE_LAUNCH = timedelta(hours=2)
"""Starting the mentorships of a cohort; it heartbeats."""

ONE_GATHERING = timedelta(minutes=10)
"""What falls due in an open call at one moment: some thousand mails into postboxes."""

HEARTBEAT = timedelta(seconds=20)
"""A round whose worker died is taken over after this time. A living worker sends a heartbeat every few seconds."""

LAUNCH_HEARTBEAT = timedelta(seconds=15)
"""A launch whose worker died is taken over after this time: a coordinator may be looking on."""

SHORTEST_TIMER = timedelta(milliseconds=1)
"""A timer for what is due already; Temporal takes no negative one."""

SHORTEST_WAIT = timedelta(milliseconds=20)
"""The postmaster never looks again sooner than this."""
