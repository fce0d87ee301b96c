"""Measures what this code costs, beside the floor of the same machine in the same run.

Absolute figures say more of the machine than of the code; what counts is the ratio. Nothing of the engine may
import this, and nothing here may decide whether a test passes.
"""
