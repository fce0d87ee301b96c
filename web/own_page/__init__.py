"""A participant's own page: their data, and what they can do."""
