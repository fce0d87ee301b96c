"""The five phases: the steps of each, and what follows when one settles (lifecycle 4)."""
