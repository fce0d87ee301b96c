"""The health of an installation: doctor, metrics, backlog, restore."""
