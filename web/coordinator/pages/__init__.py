"""The handlers of the coordinators' pages, one module for each kind of page."""
