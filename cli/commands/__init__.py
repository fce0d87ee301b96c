"""The commands of `mentorship`, one module for each group of commands."""
