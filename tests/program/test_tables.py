"""Tables in every encoding that spreadsheets write, and workbooks: read alike, or refused before they unpack."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from program.faults import Faults
from program.files.people import read_pairs, read_people
from program.files.tables import table_text
from program.limits import CSV_ROWS, XLSX_BYTES

HEAD = ("id", "name", "email", "zone", "mentees_at_most", "since")
ZOE: tuple[Any, ...] = ("p1", "Zo\xeb M\xfcller", "zoe@example.org", "Europe/Berlin", 2, date(2027, 3, 1))
JO: tuple[Any, ...] = ("p2", "Jo, the second", "jo@example.org", "", None, datetime(2027, 3, 2))  # noqa: DTZ001 - a cell has no zone
EXPECTED = [
    {
        "id": "p1", "name": "Zo\xeb M\xfcller", "email": "zoe@example.org", "zone": "Europe/Berlin",
        "mentees_at_most": "2", "profile": {"since": "2027-03-01"},
    },
    {"id": "p2", "name": "Jo, the second", "email": "jo@example.org", "profile": {"since": "2027-03-02"}},
]  # fmt: skip


def as_csv(mark: str) -> str:
    """The same table as a CSV with this character between the cells."""
    rows = [HEAD, ("p1", "Zo\xeb M\xfcller", "zoe@example.org", "Europe/Berlin", "2", "2027-03-01")]
    rows.append(("p2", '"Jo, the second"', "jo@example.org", "", "", "2027-03-02"))
    return "\r\n".join(mark.join(row) for row in rows) + "\r\n"


def workbook(*rows: tuple[Any, ...]) -> bytes:
    """A workbook with these rows on its first sheet, and another sheet."""
    book = Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(row)
    book.create_sheet("Notes").append(("not", "read"))
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("encoding", "guessed"),
    [("utf-8", ""), ("utf-8-sig", ""), ("utf-16", ""), ("utf-16-le", "UTF-16"), ("cp1252", "Windows-1252")],
)
def test_a_csv_in_every_encoding(tmp_path: Path, mark: str, encoding: str, guessed: str) -> None:
    (tmp_path / "people.csv").write_bytes(as_csv(mark).encode(encoding))
    found = read_people(tmp_path / "people.csv")
    assert found.rows == EXPECTED
    warned = [fault.problem for fault in found.warnings if "encoding" in fault.problem]
    assert warned == ([f"the file does not say its encoding, and was read as {guessed}"] if guessed else [])


def test_a_workbook_is_read_like_a_csv(tmp_path: Path) -> None:
    (tmp_path / "people.xlsx").write_bytes(workbook(HEAD, ZOE, (), JO))
    found = read_people(tmp_path / "people.xlsx")
    assert found.rows == EXPECTED
    assert found.places[(1,)].line == 4, "the row of the sheet"
    (tmp_path / "pairs.xlsx").write_bytes(workbook(("key", "mentor", "mentees"), ("m1", "p1", "p2 p3")))
    assert read_pairs(tmp_path / "pairs.xlsx").rows == [{"key": "m1", "mentor": "p1", "mentees": ["p2", "p3"]}]


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/workbook.xml", "<workbook/>")
        with book.open("xl/worksheets/sheet1.xml", "w") as sheet:
            for _ in range(XLSX_BYTES // 1_000_000 + 1):
                sheet.write(b" " * 1_000_000)
    assert len(packed.getvalue()) < 1_000_000
    with pytest.raises(Faults, match="unpacks into"):
        table_text(packed.getvalue(), "bomb.xlsx")


def test_what_is_no_workbook_or_too_long_is_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as other:
        other.writestr("content.xml", "<x/>")
    with pytest.raises(Faults, match="no workbook"):
        table_text(packed.getvalue(), "people.ods")
    damaged = bytearray(workbook(HEAD, ZOE))
    with zipfile.ZipFile(io.BytesIO(bytes(damaged))) as book, io.BytesIO() as written:
        with zipfile.ZipFile(written, "w") as copy:
            for name in book.namelist():
                copy.writestr(name, b"<broken" if name.endswith("sheet1.xml") else book.read(name))
        broken = written.getvalue()
    with pytest.raises(Faults, match="no workbook that can be read"):
        table_text(broken, "people.xlsx")
    with pytest.raises(Faults, match="more than"):
        table_text(workbook(*((str(number),) for number in range(CSV_ROWS + 2))), "people.xlsx")
