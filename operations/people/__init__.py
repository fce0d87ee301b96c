"""What is done with people, by coordinators and by themselves: find, correct, erase, own page."""
