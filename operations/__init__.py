"""What a coordinator or a page can do to a running program: one function each, used by cli and web alike."""
