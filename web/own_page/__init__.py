"""A participant's own page: what is theirs to see, and what they may do."""
