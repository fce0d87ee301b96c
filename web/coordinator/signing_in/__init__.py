"""Signing in to the coordinators' web: links, codes, OpenID Connect, a proxy's header, sessions."""
