"""The pure core: the life of a mentorship as functions, events in, commands out.

The rules of this room, and how it works:

* Everything that decides what happens, to whom and when, is here and only here. No Temporal, no SQL, no mail, no wall
  clock, no randomness: time comes in as an argument.
* A mentorship is one `State`. Its `steps` are the plan: what was asked and told, and what will be. The plan is the
  only answer to "what comes next, and when".
* `advance(state, event, now)` is the only way to change a state. It is total: an event that makes no sense gets a
  refusal with a reason. It returns commands (`lifecycle.commands`) for the caller to carry out.
* Each phase is one module in `phases/`: the steps it brings, and what follows when one of them settles. To read the
  five modules is to read the lifecycle.
* Commands hold ids, dates and decisions. Answers are read elsewhere and come in as findings.
"""
