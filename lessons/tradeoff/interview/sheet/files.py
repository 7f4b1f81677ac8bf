"""The cheat sheet as a file: HTML, or a PDF that a browser on this machine prints.

Every browser prints the HTML well, so no library for PDF is brought along for one page.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from tradeoff.interview.sheet import page
from tradeoff.interview.sheet.browser import browser

INSTEAD = (
    "Write sheet.html instead, open it in any browser and print it there, to paper or to PDF: "
    "it takes one page."
)
SECONDS = 60.0  # that a browser may take


class SheetError(RuntimeError):
    """The sheet cannot be written as asked; the message says what to do."""


def write(path: Path, paper: str | None = None) -> None:
    """Write the sheet to a file whose ending says the form: `.html` or `.pdf`.

    The file is replaced as a whole: what stops half-way leaves the former one.

    Parameters
    ----------
    paper : "a4" or "letter"; None is A4 for a PDF and, for HTML, what the browser prints on.

    Raises SheetError for another ending, a folder that is not there, or a PDF that cannot be made
    here, and OSError if the folder cannot be written.
    """
    ending = path.suffix.lower()
    if ending not in (".html", ".pdf"):
        raise SheetError(f"{path.name!r} must end in .html or .pdf")
    if not path.absolute().parent.is_dir():
        raise SheetError(f"there is no folder {path.absolute().parent}")
    # Beside the file: a rename is whole within one file system only, and a browser in a sandbox
    # of its own may see no other folder for temporary files.
    with tempfile.TemporaryDirectory(
        prefix="tradeoff-sheet-", dir=path.absolute().parent, ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        made = folder / "sheet.html"
        made.write_text(page.document(paper or ("a4" if ending == ".pdf" else None)), "utf-8")
        if ending == ".pdf":
            made = _printed(made)
        with made.open("rb") as whole:
            os.fsync(whole.fileno())
        os.replace(made, path)


def _printed(html: Path) -> Path:
    """The PDF of a page, beside it."""
    found = browser()
    if found is None:
        raise SheetError(f"A PDF needs Chromium, Chrome or Edge, and none was found. {INSTEAD}")
    pdf = html.with_suffix(".pdf")
    command = [
        *(found, "--headless", "--disable-gpu", "--no-first-run", "--no-pdf-header-footer"),
        *(f"--user-data-dir={html.parent / 'profile'}", f"--print-to-pdf={pdf}"),
    ]
    if getattr(os, "geteuid", lambda: 1)() == 0:
        command.append("--no-sandbox")  # root in a container: Chromium would refuse to start
    try:
        done = subprocess.run([*command, html.as_uri()], capture_output=True, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SheetError(f"{found} did not print the page: {error}. {INSTEAD}") from error
    # A browser may fail with exit code 0, and be killed by its system half-way.
    content = pdf.read_bytes() if pdf.is_file() else b""
    if done.returncode or not content.startswith(b"%PDF") or b"%%EOF" not in content[-64:]:
        raise SheetError(f"{found} did not print the page. {INSTEAD}")
    return pdf
