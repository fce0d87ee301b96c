"""What a coordinator writes: programs, cohorts and forms as models, and the loader that reads them.

Nothing here knows of Temporal, SQL or mail; every other room may import this one.
"""
