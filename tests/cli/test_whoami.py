"""``kubemin whoami``: also as whom it is done in the clusters."""

from typing import Any

import pytest

from kubemin.cli.output import Output
from kubemin.cli.whoami import tell

ADA: Any = {"name": "ada", "how": "oidc", "roles": [], "grants": [], "groups": ["team-shop"]}


def test_it_says_as_whom_one_acts(capsys: pytest.CaptureFixture[str]) -> None:
    acting = [
        {"cluster": "default", "user": "oidc:ada\u202e", "groups": ["oidc:team-shop", "oidc:all"]},
        {"cluster": "edge", "user": "ada", "groups": []},
        {"cluster": "far", "groups": [], "refused": "system:x is a user of the cluster itself"},
    ]
    shown: Any = {**ADA, "actingAs": acting}
    tell(shown, Output(None))
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:5] == [
        "  in cluster default: acts as oidc:ada\\u202e (oidc:team-shop, oidc:all)",
        "  in cluster edge: acts as ada",
        "  in cluster far: nothing is done, system:x is a user of the cluster itself",
    ]


def test_a_server_that_is_older_says_nothing_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    tell(ADA, Output(None))
    assert "in cluster" not in capsys.readouterr().out
