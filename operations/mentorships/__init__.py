"""What coordinators do with mentorships: look, select, change, decide."""
