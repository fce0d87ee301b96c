"""A season in seconds, before anyone is mailed: the same core and the same letterbox over virtual time, with
simulated people and a simulated coordinator. No server, no SQL, no sleeping; the same seed, the same result.
"""
