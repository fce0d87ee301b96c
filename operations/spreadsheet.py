"""Tables for spreadsheets: CSV and XLSX of the same rows. Text stays text, whatever a cell begins with."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
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
    So a fraction is written with a comma where `;` separates, and with a point else.
    """
    written = io.StringIO()
    written.write(BYTE_ORDER_MARK)
    out = csv.writer(written, delimiter=separator, lineterminator="\r\n")
    out.writerow(columns)
    point = "," if separator == ";" else "."
    out.writerows([_written(value, point) for value in row] for row in rows)
    return written.getvalue()


def _written(value: object, point: str) -> str:
    """A number stays a number, also where a minus is in front."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value).replace(".", point)
    return cell(str(value))


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
    """One sheet of a workbook; a cell is a text, a number or a date."""

    @property
    def name(self) -> str:
        """Unique in the workbook, at most 31 characters."""
        ...

    @property
    def columns(self) -> Sequence[str]:
        """The first line."""
        ...

    @property
    def rows(self) -> Iterable[Sequence[str | int | float | date]]:
        """The lines below it."""
        ...


def as_book(sheets: Iterable[Sheet]) -> bytes:
    """Sheets as one XLSX file: numbers are numbers, dates are dates, everything else is text. In the first sheet the
    name of another is a link to it. Each prints on the width of one page, with its columns on every page."""
    import xlsxwriter

    written = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    listed = list(sheets)
    names = {each.name for each in listed}
    with xlsxwriter.Workbook(written, options) as book:
        head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        day = book.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
        link = book.get_default_url_format()
        for each in listed:
            sheet = book.add_worksheet(each.name)
            sheet.write_row(0, 0, each.columns, head)
            for column, width in enumerate(_widths(each)):
                sheet.set_column(column, column, width)
            for number, row in enumerate(each.rows, 1):
                for column, value in enumerate(row):
                    if isinstance(value, date):
                        sheet.write_datetime(number, column, datetime.combine(value, time()), day)
                    elif not isinstance(value, str):
                        sheet.write_number(number, column, value)
                    elif each is listed[0] and value in names:
                        sheet.write_url(number, column, f"internal:'{value}'!A1", link, value)
                    else:
                        sheet.write_string(number, column, CONTROLS.sub("", value), wrapped)
            sheet.freeze_panes(1, 0)
            sheet.repeat_rows(0)
            sheet.fit_to_pages(1, 0)
    return written.getvalue()


NARROWEST, WIDEST = 10, 72
"""Of a column, in characters; longer text goes on in the next line."""


def _widths(sheet: Sheet) -> list[int]:
    """As wide as the longest cell below the head."""
    found = [NARROWEST for _ in sheet.columns]
    for row in sheet.rows:
        for column, value in enumerate(row):
            found[column] = min(max(found[column], len(str(value)) + 2), WIDEST)
    # The head of the first column is a whole question.
    found[0] = max(found[0], min(len(sheet.columns[0]) + 2, WIDEST // 2))
    return found
