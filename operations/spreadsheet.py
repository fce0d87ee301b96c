"""Tables for spreadsheets: CSV and XLSX of the same rows. Text stays text, whatever a cell begins with."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Protocol

from program.text import CONTROLS

BYTE_ORDER_MARK = "\ufeff"


def cell(text: str) -> str:
    """A cell of a CSV file. What a spreadsheet would take for a formula gets an apostrophe in front (CWE-1236);
    control characters, which a terminal would act on, are left out (CWE-150)."""
    shown = CONTROLS.sub("", text)
    return f"'{shown}" if shown[:1] in ("=", "+", "-", "@", "\t") else shown


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[object]], separator: str = ";") -> str:
    """The rows as CSV (RFC 4180), with their columns in the first line, as spreadsheets open it with a double click.

    The byte order mark says that it is UTF-8. Excel splits cells at `;` where numbers are written 1,5, else at `,`.
    """
    written = io.StringIO()
    written.write(BYTE_ORDER_MARK)
    out = csv.writer(written, delimiter=separator, lineterminator="\r\n")
    out.writerow(columns)
    out.writerows([cell(str(value)) for value in row] for row in rows)
    return written.getvalue()


def as_xlsx(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """The rows as one sheet of an XLSX file; every cell is text. `title` names the sheet (at most 31 characters)."""
    import xlsxwriter

    written = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(written, options) as book:
        sheet = book.add_worksheet(title[:31])
        bold = book.add_format({"bold": True})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        sheet.write_row(0, 0, columns, bold)
        for number, row in enumerate(rows, 1):
            for column, text in enumerate(row):
                sheet.write_string(number, column, CONTROLS.sub("", text), wrapped)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(1, sheet.dim_rowmax or 1), len(columns) - 1)
    return written.getvalue()


class Sheet(Protocol):
    """One sheet of a workbook; a cell is a text or a number."""

    @property
    def name(self) -> str:
        """Unique in the workbook, at most 31 characters."""
        ...

    @property
    def columns(self) -> Sequence[str]:
        """The first line."""
        ...

    @property
    def rows(self) -> Iterable[Sequence[str | int | float]]:
        """The lines below it."""
        ...


def as_book(sheets: Iterable[Sheet]) -> bytes:
    """Sheets as one XLSX file: numbers are numbers, everything else is text."""
    import xlsxwriter

    written = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(written, options) as book:
        bold = book.add_format({"bold": True})
        for each in sheets:
            sheet = book.add_worksheet(each.name)
            sheet.write_row(0, 0, each.columns, bold)
            sheet.set_column(0, 0, 48)
            for number, row in enumerate(each.rows, 1):
                for column, value in enumerate(row):
                    if isinstance(value, str):
                        sheet.write_string(number, column, CONTROLS.sub("", value))
                    else:
                        sheet.write_number(number, column, value)
            sheet.freeze_panes(1, 0)
    return written.getvalue()
