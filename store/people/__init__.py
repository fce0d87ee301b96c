"""SQL about people: finding, correcting and erasing them, and what is held on them."""
