"""Every limit of size of what comes in from outside, in one table.

Code that reads a file, a form or a link asks here, and names the limit before it reads: what takes memory or CPU
without bound must never be parsed first and measured later. `docs/security.md` lists the limits for operators.
"""

from __future__ import annotations

from typing import Final

# -- files of coordinators (bytes, unless the name says otherwise) ---------------------------------------------------

YAML_BYTES: Final = 1_000_000
"""One YAML file. Reading a megabyte takes about ten seconds and 150 MB; people and pairs belong in CSV files."""
YAML_NODES: Final = 200_000
"""Values and keys of one file: enough for thousands of people; nested aliases that explode stop here."""
CSV_BYTES: Final = 8_000_000
"""One CSV file: 50,000 people with a profile each."""
XLSX_BYTES: Final = 64_000_000
"""What a workbook may unpack into; it is asked before anything of it is unpacked."""
CSV_COLUMNS: Final = 100
CSV_ROWS: Final = 50_000

# -- the pages -------------------------------------------------------------------------------------------------------

BODY_BYTES: Final = 256 * 1024
"""Bytes of one POST. A form filled to its limits is a fifth of it."""
COOKIE_BYTES: Final = 8 * 1024
"""Bytes of the cookies of one request. Ours have a tenth of it, and reading quoted ones takes quadratic time."""
FILE_BODY_BYTES: Final = 18_000_000
"""Bytes of one POST that brings a cohort's file with its tables. Only the page of a cohort's file takes so many."""
BODY_FIELDS: Final = 2000
"""Fields of one POST."""
FIELD_NAME_CHARACTERS: Final = 256
"""The longest name of a field; longer ones are of no form and are left out."""
TEXT_CHARACTERS: Final = 10_000
"""The most that a form may allow as one answer (`longest` of a question)."""
DRAFT_CHARACTERS: Final = 20_000
"""What is kept of one field of a form that is saved half-way."""
DRAFT_VALUES: Final = 100
"""Values that are kept of one such field."""

# -- people ----------------------------------------------------------------------------------------------------------

NAME_CHARACTERS: Final = 200
EMAIL_CHARACTERS: Final = 254
"""RFC 5321 4.5.3.1.3: a path has 256 octets, two of them are the brackets."""
ZONE_CHARACTERS: Final = 64
FORMER_NAMES: Final = 50
"""Names and addresses that are kept of one person so that erasing finds them; a further change is refused."""

# -- text ------------------------------------------------------------------------------------------------------------

MARKS_IN_A_ROW: Final = 30
"""Combining marks after one letter (the Stream-Safe Text Format of Unicode, UAX #15): more of them make normalising
quadratic. No language needs more than a handful."""
