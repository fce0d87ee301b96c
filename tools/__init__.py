"""What developers run: benchmarks, fault injection, scripts.

Nothing that ships imports it.
"""
