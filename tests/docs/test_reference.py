"""docs/reference/ is what `make reference` makes of the code, and says what each thing in it means."""

import re

import pytest

from tests.docs.reference.__main__ import FOLDER
from tests.docs.reference.application import MODELS
from tests.docs.reference.pages import pages

PAGES = pages()
SAID_BY_ITS_NAME = {"api.md", "application.md"}
"""Pages in which a field may have no sentence: that of its shape says it."""


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_says(name: str) -> None:
    assert (FOLDER / name).read_text() == PAGES[name], f"docs/reference/{name}: run `make reference`"


def test_there_is_no_other_page() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(PAGES)


@pytest.mark.parametrize("name", sorted(set(PAGES) - SAID_BY_ITS_NAME))
def test_each_row_says_what_it_means(name: str) -> None:
    for row in re.findall(r"^\| .*\|$", PAGES[name], re.MULTILINE):
        assert not row.endswith("|  |") or row.startswith(("| --- ", "|  |")) or _is_head(row), row


def test_each_model_of_the_format_has_its_place() -> None:
    shown = re.findall(r"^### (\w+)$", PAGES["application.md"], re.MULTILINE)
    assert sorted(shown) == sorted(MODELS)


def _is_head(row: str) -> bool:
    return "`" not in row


def test_each_route_and_parameter_says_what_it_means() -> None:
    for route in re.split(r"^### ", PAGES["api.md"].partition("\n## Shapes")[0], flags=re.MULTILINE)[1:]:
        assert re.search(r"^\*.+\.\* \S", route, re.MULTILINE), route
        for row in re.findall(r"^\| `\S+` \| (?:path|query|header) \|.*$", route, re.MULTILINE):
            assert not row.endswith("|  |"), f"{route.splitlines()[0]}: {row}"
