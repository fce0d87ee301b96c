"""Makes a letter of what is due for a person: picks the items, fills in names and links, words and freezes it."""
