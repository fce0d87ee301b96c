"""What coordinators do with mentorships: show, select, change, decide."""
