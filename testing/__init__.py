"""What tests, faults and scripts share: servers, a mail sink, databases, environments that run an engine.

Nothing that ships imports it.
"""
