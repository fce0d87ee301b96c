"""Reads what coordinators write: YAML with places, tables, folders, extended programs, lists of people."""
