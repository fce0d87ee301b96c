"""What coordinators and participants do with people: find, correct, erase, change address, own page."""
