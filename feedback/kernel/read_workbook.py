"""A program of its own, not a module: the first sheet of an XLSX file on standard input, a JSON list of texts a line.

Its reader takes a while to load and much memory for a large file, so that no web process has it. Exit code 3: no workbook.
"""

from __future__ import annotations

import io
import json
import sys
import warnings
import zipfile
import zlib
from datetime import date, datetime, time

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    InvalidFileException,
    EOFError,
    LookupError,
    TypeError,
    ValueError,
    SyntaxError,
)
"""What the readers of XLSX raise for a file that is none (an XML error is a SyntaxError)."""
NO_WORKBOOK = 3


def main(most_rows: int, most_columns: int) -> int:
    """Print the rows, at most so many of each; whole numbers without a point, instants and dates in ISO 8601."""
    warnings.simplefilter("ignore")  # styles and extensions that openpyxl leaves out are of no use here
    try:
        book = load_workbook(io.BytesIO(sys.stdin.buffer.read()), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        for number, cells in enumerate(sheet.iter_rows(values_only=True)):
            if number >= most_rows:
                break
            sys.stdout.write(json.dumps([_text(cell) for cell in cells[:most_columns]]) + "\n")
    except BROKEN:
        return NO_WORKBOOK
    return 0


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value).strip()


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), int(sys.argv[2])))
