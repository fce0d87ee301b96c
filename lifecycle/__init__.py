"""The life of a mentorship as pure functions: events in, commands out.

The rules of this room, and the theory of its operation:

* Everything that decides what happens, to whom and when lives here, and nothing else does. No Temporal, no SQL,
  no mail, no wall clock, no randomness: time comes in as an argument.
* A mentorship is one `State`. Its `steps` are the plan: what was asked and told, and what will be. "What comes
  next, and when" is never a second opinion, it is the plan.
* `advance(state, event, now)` is the only way a state changes. It is total: an event that makes no sense is
  answered with a refusal that says why. It returns commands (`lifecycle.commands`) for somebody else to carry out.
* Each phase is one module (`onboarding`, `expectations`, `check_ins`, `midpoint`, `closure`): the steps it brings,
  and what follows when one of them settles. Reading the five modules is reading the lifecycle.
* Commands hold ids, dates and decisions. Answers are read elsewhere and come in as findings.
"""
