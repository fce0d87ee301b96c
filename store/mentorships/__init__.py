"""SQL about mentorships: the turns of their workflows, tasks, and restoring after a backup."""
