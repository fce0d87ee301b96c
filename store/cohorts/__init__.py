"""SQL about cohorts: the entries of their files, program versions, progress, cancelling."""
