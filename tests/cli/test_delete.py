"""`kubemin delete`: it shows what becomes of each object, asks, and names the data that stays."""

import json
from pathlib import Path

from tests.cli.kubemin import Kubemin, Running
from tests.cli.terminal import Terminal


def _deployed(client: Kubemin, folder: Path, name: str) -> None:
    volume = {"name": "data", "type": "persistent", "tmpCreate": True, "mountPath": "/data", "size": "1Gi"}
    store = {"name": f"{name}-db", "type": "store", "image": "db", "traits": {"storage": [volume]}}
    settings = {"name": "own", "type": "config", "properties": {"conf": {"a": "1"}}}
    (folder / f"{name}.json").write_text(json.dumps({"name": name, "component": [store, settings]}))
    done = client("apply", f"{name}.json")
    assert done.returncode == 0, done.stderr


def test_it_names_the_data_that_stays_and_what_goes(server: Running, tmp_path: Path) -> None:
    client = Kubemin(tmp_path, server.url)
    _deployed(client, tmp_path, "shop")
    only = client("delete", "shop", "--dry-run")
    assert (only.returncode, only.stderr) == (0, "")
    (claim,) = [line for line in only.stdout.splitlines() if line.startswith("PersistentVolumeClaim/")]
    assert claim.endswith("  to keep: holds data")
    assert "ConfigMap/default/shop-own  to delete" in only.stdout.splitlines()
    asked = json.loads(client("delete", "default/shop", "--delete-volumes", "--dry-run", "--json").stdout)
    assert (asked["keeps"], asked["releases"]) == ([], [])
    assert claim.partition("  ")[0] in asked["removes"]
    done = client("delete", "shop", stdin="")  # nobody is there to be asked
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == f"{claim.partition('  ')[0]}: holds data: kept"
    gone = client("delete", "shop/x")
    assert gone.returncode == 1
    assert "does not exist" in gone.stderr


def test_at_a_terminal_it_asks(server: Running, tmp_path: Path) -> None:
    client = Kubemin(tmp_path, server.url)
    _deployed(client, tmp_path, "asked")
    env = {"KUBEMIN_SERVER": server.url}
    terminal = Terminal(tmp_path, "delete", "asked", env=env)
    terminal.wait_for(r"holds data[\s\S]*Delete application asked\?[\s\S]*\[y/N\]")
    terminal.type("n\n")
    assert terminal.end() == 0
    assert "nothing was deleted" in terminal.shown
    assert "asked" in client("apps").stdout
    terminal = Terminal(tmp_path, "delete", "asked", env=env)
    terminal.wait_for(r"\[y/N\]")
    terminal.type("y\n")
    assert terminal.end() == 0
    assert "asked" not in client("apps").stdout


def test_both_ways_at_once_are_refused(server: Running, tmp_path: Path) -> None:
    client = Kubemin(tmp_path, server.url)
    _deployed(client, tmp_path, "both")
    refused = client("delete", "both", "--keep-resources", "--delete-volumes", "--yes")
    assert refused.returncode == 1
    assert "deleteVolumes" in refused.stderr
    assert "both" in client("apps").stdout
