"""The core over virtual time: a whole season in seconds, with simulated people.

It runs the same core and the same letterbox as a real season. No server, no SQL, no sleeping; the same seed gives the
same result.
"""
