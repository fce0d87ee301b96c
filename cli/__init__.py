"""The command `mentorship`: what coordinators and operators type. Thin over `operations`; decides nothing."""
