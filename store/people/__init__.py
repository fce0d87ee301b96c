"""SQL about people: find, correct and erase them, and export their personal data."""
