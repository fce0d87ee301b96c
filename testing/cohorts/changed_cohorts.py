"""A season in which every change happens that a script can name, in every format and at awkward moments."""

from __future__ import annotations

from testing.cohorts.cases import CLOSES, Case, on, says

AWAY = "Pacific/Auckland"
SAFETY = {"check_in#1": says(p_help="safety")}

CHANGED = [
    Case("pause-early", "halfway", events=({"on": on(-12), "pause": "3w"},)),
    Case("pause-midpoint", "halfway", events=({"on": on(24), "pause": "3w"},)),
    Case("pause-twice", "agreed_peer", events=({"on": on(10), "pause": "4w"}, {"on": on(17), "pause": "4w"})),
    Case("pause-past-end", "fit", events=({"on": on(20), "pause": "6w"},)),
    Case("pause-open", "pulse_group", others=({},),
         events=({"on": on(13), "pause_open": True}, {"on": on(80), "resume": True})),
    Case("pause-forgotten", "fit", events=({"on": on(3), "pause_open": True},)),
    Case("pause-ahead", "fit", events=({"on": on(3), "pause": "2w", "from": on(12), "tell": True},)),
    Case("pause-taken-back", "pulse", events=({"on": on(3), "pause_open": True, "from": on(23)},
                                              {"on": on(18), "resume": True})),
    Case("resume", "agreed_peer", events=({"on": on(8), "pause": "3w"}, {"on": on(15), "resume": True})),
    Case("extend-twice", "halfway_group", others=({},),
         events=({"on": on(12), "extend": "2w"}, {"on": on(19), "extend": "1w"})),
    Case("extend-closing", "fit", mentor=CLOSES, events=({"on": on(29), "extend": "3w"},)),
    Case("end-early", "agreed_group", others=({},), mentor=CLOSES, events=({"on": on(22), "end": "no_fault"},)),
    Case("end-unbegun", "agreed_peer", events=({"on": on(-8), "end": "no_fault"},)),
    Case("end-elsewhere", "fit", events=({"on": on(11), "end": "transferred"},)),
    Case("both-propose", "pulse", events=({"on": on(19), "propose_end": "mentor"},
                                          {"on": on(20), "propose_end": "mentee"})),
    Case("one-proposes", "agreed_peer", events=({"on": on(21), "propose_end": "mentee"},)),
    Case("leave-peer", "agreed_peer", events=({"on": on(16), "leave": "mentor"},)),
    Case("leave-before", "halfway", events=({"on": on(-6), "leave": "mentee"},), decides={"seat_empty": "end"}),
    Case("replace-early", "fit", events=({"on": on(-9), "replace": "mentee", "newcomer": "new"},)),
    Case("replace-late", "agreed_peer", events=({"on": on(26), "replace": "mentor", "newcomer": "new"},)),
    Case("replace-left", "halfway", events=({"on": on(14), "leave": "mentor"},
                                            {"on": on(18), "replace": "mentor", "newcomer": "new"})),
    Case("replace-closing", "fit", events=({"on": on(27), "replace": "mentor", "newcomer": "new"},)),
    Case("group-grows", "agreed_group", others=({},), events=({"on": on(9), "add": "new"},)),
    Case("group-shrinks", "pulse_group", others=({},),
         events=({"on": on(6), "remove": "mentee"}, {"on": on(30), "leave": "mentee2"})),
    Case("nudge", "agreed_peer", mentee={"agreement": {"after": 12}}, events=({"on": on(5), "nudge": True},)),
    Case("release", "pulse", mentee=SAFETY, decides={"safety": "release"},
         events=({"on": on(15), "release": True},)),
    Case("bounce", "pulse", events=({"on": on(2), "bounce": "mentee"},)),
    Case("bounce-healed", "agreed_peer",
         events=({"on": on(-4), "bounce": "mentor"}, {"on": on(7), "correct": "mentor"})),
    Case("message", "halfway_group", others=({},),
         events=({"on": on(8), "message": "To all of you."}, {"on": on(9), "message": "To you.", "to": ["mentee2"]},
                 {"on": on(10), "message": "To everybody in the cohort.", "everybody": True})),
    Case("message-paused", "fit", events=({"on": on(3), "pause": "3w"}, {"on": on(8), "message": "In a pause."})),
    Case("message-held", "pulse", mentee=SAFETY, decides={"safety": "release"},
         events=({"on": on(16), "message": "Under a hold."},)),
    Case("message-late", "fit", events=({"on": on(120), "message": "When all is over."},)),
    Case("message-left", "agreed_group", others=({},),
         events=({"on": on(5), "leave": "mentee"}, {"on": on(7), "message": "To those who are left."})),
    Case("message-bounced", "pulse", events=({"on": on(1), "bounce": "mentee"}, {"on": on(2), "message": "Hello?"},
                                             {"on": on(9), "correct": "mentee"})),
    Case("move", "halfway_group", others=({},), events=({"on": on(4), "move": "mentee", "zone": AWAY},)),
]  # fmt: skip

STOPPED = [
    Case("running", "pulse", events=({"on": on(17), "cancel": True},)),
    Case("group", "agreed_group", others=({},)),
    Case(
        "paused", "agreed_peer", events=({"on": on(4), "pause": "8w"}, {"on": on(9), "message": "Never to go out."})
    ),
    Case("written-to", "fit", events=({"on": on(20), "message": "Too late.", "everybody": True},)),
    Case("unwell", "pulse", mentee=SAFETY, decides={"safety": "release"}),
    Case("gone", "halfway", events=({"on": on(6), "leave": "mentee"},)),
    Case("unreachable", "fit", events=({"on": on(5), "bounce": "mentor"},)),
]
"""A cohort that is cancelled on its seventeenth day, whatever its mentorships are waiting for."""
