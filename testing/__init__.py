"""What tests, faults and scripts share: servers, a mail sink, databases, test environments.

Nothing that ships imports it.
"""
