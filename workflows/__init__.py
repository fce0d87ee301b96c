"""The Temporal workflows: the durable half, which waits and remembers.

Workflows leave decisions to `lifecycle` and I/O to `activities`. They hold no names, no addresses and no answers.
"""
