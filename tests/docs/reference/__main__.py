"""Writes the reference: `make reference`."""

import json

from tests.docs.markdown import ROOT
from tests.docs.reference.application_schema import FILE, application_schema
from tests.docs.reference.pages import pages

FOLDER = ROOT / "docs" / "reference"

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
    FILE.write_text(json.dumps(application_schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
