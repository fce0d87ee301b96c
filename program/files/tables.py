"""Tables as people have them: CSV in the encodings that spreadsheets write, and XLSX, read into the text of a CSV.

What comes in is measured before it is unpacked or parsed: a small file that unpacks into a huge one is refused.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from program.faults import Fault, Faults
from program.files.reading import read_bytes, too_large
from program.limits import CSV_BYTES, CSV_COLUMNS, CSV_ROWS, XLSX_BYTES

XLSX = b"PK\x03\x04"
"""How an XLSX begins, as every ZIP."""
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_OTHERS = (
    (b"\xd0\xcf\x11\xe0", "an Excel workbook of the old format (.xls)", "Save it as .xlsx or as CSV."),
    (b"%PDF", "a PDF", "Save the table as .xlsx or as CSV."),
)


@dataclass(frozen=True, slots=True)
class TableText:
    """A table as the text of a CSV. `guessed` is the encoding where the file did not say it; else empty."""

    text: str
    guessed: str = ""


def table_text(raw: bytes, file: str) -> TableText:
    """The CSV in these bytes, whatever a spreadsheet made of it: UTF-8 with or without byte order mark, UTF-16,
    Windows-1252, or the first sheet of an XLSX. Raises Faults, which name the file as `file`."""
    if raw.startswith(XLSX):
        return TableText(_sheet(raw, file))
    for begin, what, remedy in _OTHERS:
        if raw.startswith(begin):
            raise Faults([Fault(file, 1, 1, f"this is {what}, not a table", remedy)])
    if len(raw) > CSV_BYTES:
        raise Faults([too_large(file, len(raw), CSV_BYTES)])
    return decoded(raw, file)


def read_table(path: Path) -> TableText:
    """The same of a file. Raises Faults; the size is asked before anything is read."""
    return table_text(read_bytes(path, CSV_BYTES), str(path))


def decoded(raw: bytes, file: str) -> TableText:
    """Bytes as text, in the encodings that editors and spreadsheets write. Raises Faults."""
    if raw.startswith(_UTF16):
        with suppress(UnicodeDecodeError):
            return TableText(raw.decode("utf-16"))
        raise Faults([Fault(file, 1, 1, "the file is no valid UTF-16", "Save it as CSV UTF-8.")])
    with suppress(UnicodeDecodeError):
        return TableText(raw.decode("utf-8-sig"))
    for order, zeros in (("utf-16-le", raw[1:200:2]), ("utf-16-be", raw[0:200:2])):
        if zeros and zeros.count(0) > len(zeros) // 2:
            with suppress(UnicodeDecodeError):
                return TableText(raw.decode(order), "UTF-16")
    try:
        return TableText(raw.decode("cp1252"), "Windows-1252")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        problem = "the file is neither UTF-8, UTF-16 nor Windows-1252"
        raise Faults([Fault(file, line, column, problem, "Save it as UTF-8 (in Excel: CSV UTF-8).")]) from None


def _sheet(raw: bytes, file: str) -> str:
    """The first sheet of an XLSX. A line of the text is a row of the sheet, also where it is empty."""
    refused = Fault(file, 1, 1, "this is no workbook that can be read", "Save it as .xlsx again, or as CSV.")
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
            names = set(packed.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise Faults([refused]) from None
    if unpacked > XLSX_BYTES or len(raw) > CSV_BYTES:
        problem = (
            f"the workbook unpacks into {-(-unpacked // 1000):,} KB, and at most {XLSX_BYTES // 1000:,} KB are read"
        )
        raise Faults([Fault(file, 1, 1, problem, "Copy the table alone into a new workbook, or save it as CSV.")])
    if "xl/workbook.xml" not in names:
        raise Faults(
            [Fault(file, 1, 1, "this is a packed file, and no workbook", "Save the table as .xlsx or as CSV.")]
        )
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\n")
    try:
        for number, cells in enumerate(_rows(raw), 1):
            if number > CSV_ROWS + 1:
                problem = f"the table has more than {CSV_ROWS:,} rows"
                raise Faults([Fault(file, number, 1, problem, "Divide the cohort.")])
            texts = [_cell(value) for value in cells]
            while texts and not texts[-1]:
                texts.pop()  # a sheet has no end to the right
            writer.writerow(texts)
    except Faults:
        raise
    except Exception:  # what openpyxl raises of a damaged workbook is of many kinds, none of them documented
        raise Faults([refused]) from None
    return written.getvalue()


def _rows(raw: bytes) -> Iterator[tuple[Any, ...]]:
    from openpyxl import load_workbook  # takes a while to import, and most cohorts need none

    book = load_workbook(io.BytesIO(raw), read_only=True, data_only=True, keep_links=False)
    try:
        for sheet in book.worksheets[:1]:
            sheet.reset_dimensions()
            yield from sheet.iter_rows(max_col=CSV_COLUMNS + 1, max_row=CSV_ROWS + 2, values_only=True)
    finally:
        book.close()


def _cell(value: Any) -> str:
    """A cell as it would be typed into a CSV: a date as year-month-day, a whole number without a point."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
        case date():
            return value.isoformat()
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return " ".join(str(value).splitlines())
