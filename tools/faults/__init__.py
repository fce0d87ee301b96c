"""What goes wrong in real life, done on purpose to a small cohort: nothing may be lost and nothing may come twice.

A room beside `bench` and `demo`: `town` is an installation with people in it, `catalogue` the faults, `tally` what is
counted afterwards.
"""
