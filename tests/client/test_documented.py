"""The blocks of docs/client.md, run one after another as a reader would."""

from typing import Any

import pytest

from tests.cli.kubemin import Running
from tests.docs.markdown import ROOT, Page

SERVER = "http://127.0.0.1:8000"


def test_every_block_runs(server: Running, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = [block for block in Page(ROOT / "docs" / "client.md").fenced() if block.language == "python"]
    assert len(blocks) == 5
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block.text.replace(SERVER, server.url), str(block), "exec"), names)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "deploy ['create']"
    assert "Deployment/default/shop-web completed" in printed
    assert "completed  none" in printed
    assert "10021 ['name']" in printed
    assert printed[-1] in ("Running", "Pending")
