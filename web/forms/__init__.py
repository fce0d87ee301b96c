"""The page of a request: the form, its answers, the links in a mail."""
