"""Injects real-life faults into a small cohort: nothing may be lost and nothing may arrive twice.

`installation` is an engine with people in it, `catalogue` lists the faults, `run` plays one of them, and `tally`
counts the result.
"""
