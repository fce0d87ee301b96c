"""SQL about mentorships: the turns of their workflows, and restoring them."""
