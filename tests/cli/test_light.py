"""What is read without the parser means what the parser takes it for."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.cli import light, reports
from kubemin.cli.app import run
from kubemin.cli.connection import Connection

WORDS = [
    *("-q", "--quiet", "-o", "--output", "--output=wide", "-ojson", "json", "yaml", "table", "--search", "--search=x"),
    *("--cluster", "--cluster=edge"),
    *(
        "--server",
        "--server=http://b:1",
        "http://a:1",
        "--token",
        "t",
        "--follow",
        "--",
        "-h",
        "shop",
        "team/shop",
        "a b",
    ),
]
ENVIRONMENTS: list[dict[str, str]] = [
    {},
    {"KUBEMIN_SERVER": "http://c:1", "KUBEMIN_TOKEN": "u"},
    {"KUBEMIN_SERVER": ""},
]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@given(st.sampled_from(["apps", "status"]), st.lists(st.sampled_from(WORDS), max_size=5))
def test_both_call_the_same(environment: dict[str, str], name: str, words: list[str]) -> None:
    calls: list[Any] = []

    def apps(to: Connection, *, search: str | None, cluster: str | None) -> None:
        calls.append((to, search, cluster))

    def status(task: str, to: Connection, *, follow: bool) -> int:
        calls.append((task, to, follow))
        return 0

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("KUBEMIN_SERVER", raising=False)
        patch.delenv("KUBEMIN_TOKEN", raising=False)
        for variable, value in environment.items():
            patch.setenv(variable, value)
        patch.setattr(reports, "apps", apps)
        patch.setattr(reports, "status", status)
        command = light.read([name, *words], environment)
        if command is None:
            return
        patch.setattr("sys.argv", ["kubemin", name, *words])
        assert not command()
        assert not run(as_json=False)
    assert calls[0] == calls[1]


@pytest.mark.parametrize(
    "words", [["apps"], ["apps", "-q", "-o", "json"], ["status", "team/shop", "--server=http://a:1"]]
)
def test_what_is_common_is_read(words: list[str]) -> None:
    assert light.read(words, {}) is not None
