"""What touches the world: posting, delivering, assessing, recording, launching. Dependencies are injected; the
only room that talks SMTP.
"""
