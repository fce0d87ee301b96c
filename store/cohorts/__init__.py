"""SQL about cohorts: what their files said, program versions, progress, cancelling."""
