"""`kubemin delete`: it shows what becomes of each object, asks, and names the data that stays."""

import json
from pathlib import Path

from tests.cli.kubemin import InProcess, Running
from tests.cli.terminal import Terminal


def _deployed(client: InProcess, folder: Path, name: str) -> None:
    volume = {"name": "data", "type": "persistent", "tmpCreate": True, "mountPath": "/data", "size": "1Gi"}
    store = {"name": f"{name}-db", "type": "store", "image": "db", "traits": {"storage": [volume]}}
    settings = {"name": "own", "type": "config", "properties": {"conf": {"a": "1"}}}
    (folder / f"{name}.json").write_text(json.dumps({"name": name, "component": [store, settings]}))
    done = client("apply", f"{name}.json")
    assert done.returncode == 0, done.stderr


def test_it_names_the_data_that_stays_and_what_goes(client: InProcess, tmp_path: Path) -> None:
    _deployed(client, tmp_path, "stock")
    only = client("delete", "stock", "--dry-run")
    assert (only.returncode, only.stderr) == (0, "")
    (claim,) = [line for line in only.stdout.splitlines() if line.startswith("PersistentVolumeClaim/")]
    assert claim.endswith("  to keep: holds data")
    assert "ConfigMap/default/stock-own  to delete" in only.stdout.splitlines()
    asked = json.loads(client("delete", "default/stock", "--delete-volumes", "--dry-run", "-o", "json").stdout)
    assert (asked["keeps"], asked["releases"]) == ([], [])
    assert claim.partition("  ")[0] in asked["removes"]
    done = client("delete", "stock", stdin="")  # nobody is there to be asked
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == f"{claim.partition('  ')[0]}: holds data: kept"
    gone = client("delete", "stock/x")
    assert gone.returncode == 1
    assert "does not exist" in gone.stderr


def test_at_a_terminal_it_asks(client: InProcess, server: Running, tmp_path: Path) -> None:
    _deployed(client, tmp_path, "doubted")
    env = {"KUBEMIN_SERVER": server.url}
    terminal = Terminal(tmp_path, "delete", "doubted", env=env)
    terminal.wait_for(r"holds data[\s\S]*Delete application doubted\?[\s\S]*\[y/N\]")
    terminal.type("n\n")
    assert terminal.end() == 0
    assert "nothing was deleted" in terminal.shown
    assert "doubted" in client("apps").stdout
    terminal = Terminal(tmp_path, "delete", "doubted", env=env)
    terminal.wait_for(r"\[y/N\]")
    terminal.type("y\n")
    assert terminal.end() == 0
    assert "doubted" not in client("apps").stdout


def test_both_ways_at_once_are_refused(client: InProcess, tmp_path: Path) -> None:
    _deployed(client, tmp_path, "both")
    refused = client("delete", "both", "--keep-resources", "--delete-volumes", "--yes")
    assert refused.returncode == 1
    assert "deleteVolumes" in refused.stderr
    assert "both" in client("apps").stdout
