"""The systemd units: hardened alike, enough time to end, and what `systemd-analyze` says of them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from kubemin.settings import Settings
from tests.deploy.chart import ROOT

FOLDER = ROOT / "deploy" / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
_MOST_EXPOSED = 2.0
"""Of 10, as `systemd-analyze security` counts."""
_REST_SECONDS = 10


def read(unit: Path) -> dict[str, list[str]]:
    """The values of each key, in order; sections do not share a key here."""
    found = dict[str, list[str]]()
    for line in unit.read_text().splitlines():
        if line and line[0] not in "#[":
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_gives_no_more_than_is_needed(unit: Path) -> None:
    keys = read(unit)
    assert (keys["DynamicUser"], keys["NoNewPrivileges"], keys["CapabilityBoundingSet"]) == (["yes"], ["yes"], [""])
    assert (keys["ProtectSystem"], keys["PrivateTmp"], keys["UMask"]) == (["strict"], ["yes"], ["0077"])
    assert keys["LimitCORE"] == ["0"], "a core would hold secrets"
    assert keys["MemoryMax"]
    assert set(keys["RestrictAddressFamilies"][0].split()) == {"AF_INET", "AF_INET6", "AF_UNIX"}
    (file,) = keys["EnvironmentFile"]
    assert not file.startswith("-"), "without its settings it does not start"
    assert not [one for one in keys.get("Environment", ()) if "SECRET" in one or "URL" in one]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_there_is_time_to_hand_over(unit: Path) -> None:
    """SIGTERM goes to the first process alone: it tells those that it has started."""
    keys = read(unit)
    assert keys["KillMode"] == ["mixed"]
    given = dict(one.removeprefix("KUBEMIN_").lower().split("=", 1) for one in keys["Environment"])
    assert given.keys() <= Settings.model_fields.keys()
    settings = Settings.model_validate(given)
    stop = settings.drain_seconds + settings.request_timeout_seconds + _REST_SECONDS
    assert int(keys["TimeoutStopSec"][0]) >= stop


def test_both_are_hardened_alike() -> None:
    server, worker = (set(unit.read_text().partition("NoNewPrivileges")[2].splitlines()) for unit in UNITS)
    assert server == worker


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="without systemd's own program nobody can say")
def test_systemd_understands_them_and_finds_them_little_exposed(tmp_path: Path) -> None:
    for unit in UNITS:
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE)
        (tmp_path / unit.name).write_text(text)
        name = tmp_path / unit.name.replace("@.", "@1.")
        if name.name != unit.name:
            name.symlink_to(tmp_path / unit.name)
        verified = subprocess.run(
            ["systemd-analyze", "verify", name], capture_output=True, text=True, timeout=60, check=False
        )
        assert (verified.returncode, verified.stderr) == (0, "")
        command = ["systemd-analyze", "security", "--offline=true", f"--threshold={int(_MOST_EXPOSED * 10)}", unit.name]
        judged = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert judged.returncode == 0, judged.stdout[-200:]
