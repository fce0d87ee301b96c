"""What a mail address is, and to which one mail can be sent: the one place that decides it."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email

from program.limits import EMAIL_CHARACTERS

Problem = tuple[str, str]
"""What is wrong, and what to do about it, in words; both empty where nothing is."""


def is_plain(email: str) -> bool:
    """Whether there are only ASCII characters before the @, which every mail server takes."""
    return email.strip().rpartition("@")[0].isascii()


def problem_of_address(written: str, *, utf8: bool = False, answered: bool = False) -> Problem:
    """Why mail can't be sent to an address. `utf8` and `answered`: see `problem_of_letters`."""
    if len(written) > EMAIL_CHARACTERS:  # first: what follows takes quadratic time
        too_long = f"this is no mail address: it has more than {EMAIL_CHARACTERS} characters"
        return too_long, "Write one such as somebody@example.org."
    try:
        validate_email(written, check_deliverability=False)
    except EmailNotValidError as error:
        reason = str(error).rstrip(".")
        return f"this is no mail address: {reason[:1].lower()}{reason[1:]}", "Write one such as somebody@example.org."
    return problem_of_letters(written, utf8=utf8, answered=answered)


def problem_of_letters(email: str, *, utf8: bool = False, answered: bool = False) -> Problem:
    """Why the letters before the @ keep mail from an address.

    `utf8`: the relay takes letters beyond ASCII there (SMTPUTF8, RFC 6531). `answered`: people write back to it, so
    it stands in mails to others, whose servers may not take them.
    """
    if is_plain(email) or (utf8 and not answered):
        return "", ""
    plain = "Write an address with plain letters (a to z) before the @"
    if answered:
        return "people write back to this address, and many mail servers do not take its letters", f"{plain}."
    return (
        "the mail relay is not known to take the letters before the @",
        f"{plain}; or set MENTORSHIP_SMTP_UTF8=true, if your relay offers SMTPUTF8.",
    )
