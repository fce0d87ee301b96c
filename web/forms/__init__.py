"""The page of a request: the form, its answers, the links of a mail."""
