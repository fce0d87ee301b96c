"""What coordinators and participants can do: one function each, for pages and command line."""
