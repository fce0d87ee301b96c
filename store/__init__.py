"""All SQL: tables, migrations and queries.

Content lives here; timing lives in Temporal.
"""
