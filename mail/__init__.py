"""Composing a message: what a letter must say (`letters`), its wording (`templates/mail`), and the message as
it goes over the wire (`compose`). No network, no SQL, no clock: the instant of the send comes in with the
letter.
"""
