"""Writes the reference: `make reference`."""

from tests.docs.markdown import ROOT
from tests.docs.reference.pages import pages

FOLDER = ROOT / "docs" / "reference"

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
