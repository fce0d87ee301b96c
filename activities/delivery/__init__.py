"""A round of a postmaster: claims, sends over SMTP, writes the results."""
