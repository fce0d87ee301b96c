"""Who may come in to the coordinators' web, how they sign in, and their sessions."""
