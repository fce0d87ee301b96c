"""The five phases: the steps that each brings, and what follows when one settles (lifecycle 4)."""
