"""Whether an installation is well: doctor, metrics, backlog, restore."""
