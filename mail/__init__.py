"""Composing a message: from a letter to text, HTML, headers and calendar part.

`letters` says what a letter holds, `templates/mail` has the wording, `compose` makes the message. No network, no SQL,
no clock: the moment of sending comes with the letter.
"""
