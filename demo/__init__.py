"""A season to watch: simulated people who read real mail and fill in real forms."""
