"""docs/api.md has the routes of the server, every one, and every code."""

import re
from typing import Any

import pytest

from kubemin.api import openapi
from kubemin.api.app import routes
from kubemin.api.codes import ApiCode
from kubemin.api.models.tasks import Exec
from kubemin.engine.options import ExecOptions
from tests.docs.markdown import ROOT, Page

PAGE = Page(ROOT / "docs" / "api.md")
TEXT = PAGE.path.read_text()


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """What the server says of itself."""
    return openapi.document(routes())


def test_the_routes(document: dict[str, Any]) -> None:
    served = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    shown = set(re.findall(r"^\| `([A-Z]+ /\S+)` \|", TEXT, re.MULTILINE))
    assert sorted(served - shown) == [], "not explained"
    assert sorted(shown - served) == [], "not there"


def test_the_options_of_a_run() -> None:
    for name, field in Exec.model_fields.items():
        alias = str(field.alias)
        row = re.search(rf"^\| `{alias}` \|([^|]*)\|", TEXT, re.MULTILINE)
        assert row, f"{alias} is not explained"
        default = getattr(ExecOptions(), name, None)
        if default is not None:
            assert row[1].strip(" `") == str(default).lower()


def test_the_codes() -> None:
    shown = {int(number) for row in re.findall(r"^\| ([\d, ]+) \|", TEXT, re.MULTILINE) for number in row.split(",")}
    assert shown == {int(code) for code in ApiCode} - {0}
