"""Measures what the code costs, beside the floor of the same machine in the same run.

Absolute figures describe the machine; the ratio is what counts. The engine must not import this, and no test result
depends on it.
"""
