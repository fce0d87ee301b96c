"""Surroundings in which tests act: the command line, the pages, delivery, an engine on a server."""
