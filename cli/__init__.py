"""The command `mentorship`.

Coordinators and operators type it. Thin over `operations`; it decides nothing.
"""
