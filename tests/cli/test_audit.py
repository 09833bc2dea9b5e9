"""`kubemin audit` against a real server, and without one."""

import io
import json
import logging
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from kubemin.cli import logs
from kubemin.cli.exits import Exit
from kubemin.settings.telemetry import TelemetrySettings
from kubemin.spec.characters import has_unseen
from tests.cli.kubemin import InProcess, Kubemin

KEY = "k" * 32
PEOPLE_S = "".join(chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), 0x202E, 0x2066, 0x2028, 0x200F))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    with Kubemin(tmp_path).dev(env={"KUBEMIN_AUDIT_KEY": KEY}) as running:
        yield running.url


def test_an_auditor_finds_out(
    served: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kubemin, url = InProcess(tmp_path, monkeypatch, capsys, served), served
    key, other = tmp_path / "keys", tmp_path / "other"
    key.write_text(f"{'o' * 32}\n{KEY}\n")
    other.write_text("x" * 32)
    for _ in range(3):
        assert kubemin("delete", "nobody", "--yes").returncode == Exit.FAILED
        for method in ("POST", "DELETE"):
            request = urllib.request.Request(f"{url}/api/v1/nowhere", method=method)
            with pytest.raises(OSError, match="404"):
                urllib.request.urlopen(request)
    listed = kubemin("audit", "list", "--outcome", "refused", "-o", "json")
    rows = json.loads(listed.stdout)["rows"]
    assert [row["seq"] for row in rows] == list(range(len(rows), 0, -1))
    assert "127.0.0.1" in kubemin("audit", "list").stdout
    checked = kubemin("audit", "verify", "--key-file", str(key), "-o", "json")
    assert checked.returncode == Exit.OK, checked.stderr
    place = json.loads(checked.stdout)["checkpoint"]
    assert place == f"{rows[0]['seq']}:{rows[0]['hash']}"
    assert kubemin("audit", "verify", "--key-file", str(key), "--after", place, "-q").stdout.strip() == place
    assert kubemin("audit", "verify").returncode == Exit.USAGE  # no key: nothing can be said
    assert kubemin("audit", "verify", "--key-file", str(other)).returncode == Exit.TAMPERED

    exported = kubemin("audit", "export").stdout
    lines = exported.splitlines()
    alone = InProcess(tmp_path, monkeypatch, capsys, "http://127.0.0.1:1")  # no server is there
    for name, text, expected in (
        ("whole", lines, Exit.OK),
        ("changed", [lines[0].replace("127.0.0.1", "127.0.0.2"), *lines[1:]], Exit.TAMPERED),
        ("deleted", [*lines[:2], *lines[3:]], Exit.TAMPERED),
        ("moved", [lines[1], lines[0], *lines[2:]], Exit.TAMPERED),
        ("cut off", lines[:-1], Exit.TAMPERED),
        ("half a line", [*lines[:-1], lines[-1][:20]], Exit.TAMPERED),
        ("nothing", [], Exit.TAMPERED),
    ):
        (tmp_path / "file").write_text("".join(f"{line}\n" for line in text))
        kept = ["--after", place] if name in ("cut off", "half a line", "nothing") else []
        done = alone("audit", "verify", "file", "--key-file", str(key), *kept)
        assert done.returncode == expected, (name, done.stdout, done.stderr)
    assert alone("audit", "verify", "none", "--key-file", str(key)).returncode == Exit.USAGE
    assert alone("audit", "verify", "file", "--key-file", str(key), "--after", "x").returncode == Exit.USAGE


@pytest.mark.parametrize("terminal", [True, False])
def test_no_control_character_reaches_the_log(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    monkeypatch.setattr(said, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr("sys.stderr", said)
    root, handlers = logging.getLogger(), logging.getLogger().handlers[:]
    for handler in handlers:
        root.removeHandler(handler)
    before = structlog.get_config()
    try:
        logs.configure(TelemetrySettings())
        log = structlog.get_logger()
        for value in (PEOPLE_S, [PEOPLE_S], {PEOPLE_S: PEOPLE_S}, ValueError(PEOPLE_S)):
            log.info("said", path=value, user=value)
        log.info(PEOPLE_S)
        logging.getLogger("x").warning("%s", PEOPLE_S)
        try:
            raise ValueError(PEOPLE_S)
        except ValueError:
            log.exception("raised")
            logging.getLogger("x").exception("raised")
    finally:
        for handler in root.handlers[:]:
            root.removeHandler(handler)
        for handler in handlers:
            root.addHandler(handler)
        structlog.configure(**before)
    lines = said.getvalue().split("\n")
    assert len(lines) > 8
    for line in lines:
        assert not has_unseen(line.replace("\x1b[", "") if terminal else line), ascii(line)
