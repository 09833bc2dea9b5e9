"""What CONTRIBUTING says that a change takes: no more files than this."""

import re

import pytest

from tests.docs.markdown import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text()
_OTHER_PLACES = re.compile(r"\([^)]*\)")
_FILE = re.compile(r"`((?:[\w-]+/)+[\w.-]*)`")


def files(what: str) -> list[str]:
    """The files and folders that the paragraph names; a folder stands for a file in it, two where it says so."""
    paragraph = re.search(rf"^\*\*{what}\.\*\*(.*?)\n\n", TEXT, re.MULTILINE | re.DOTALL)
    assert paragraph, f"no paragraph about {what}"
    text = _OTHER_PLACES.sub("", " ".join(paragraph[1].split()))
    found = list(_FILE.findall(text))
    return found + [name for name in found if f"two files in `{name}`" in text]


@pytest.mark.parametrize(
    ("what", "most", "unnamed"),
    [("A trait", 8, 0), ("A kind", 4, 0), ("A field of a task", 4, 0), ("A setting", 3, 1), ("A metric", 2, 0)],
)
def test_a_change_takes_few_files(what: str, most: int, unnamed: int) -> None:
    """``unnamed``: files that have no name, for it depends: the use of a setting."""
    found = files(what)
    assert found
    assert len(found) + unnamed <= most, found
