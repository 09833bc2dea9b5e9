"""``kubemin key``, and what a server says of its keys."""

import asyncio
import json
import urllib.request
from pathlib import Path

import pytest

from kubemin.sealing.keys import generate, parse
from kubemin.store import Database
from tests.cli.kubemin import InProcess, Kubemin
from tests.store.test_resealing import fill

VALUES = 2 * (8 + 2 * 2)
PLAIN = "secrets are stored in plain text: no encryption key is set (KUBEMIN_ENCRYPTION_KEYS)"


async def _fill(url: str) -> None:
    db = await Database.open(url)
    await db.migrate()
    await fill(db)
    await db.aclose()


@pytest.fixture
def filled(tmp_path: Path, here: InProcess) -> InProcess:
    """Commands beside a database with values in plain text."""
    asyncio.run(_fill(f"sqlite:///{tmp_path}/kubemin.db"))
    return here


def totals(here: InProcess) -> dict[str, object]:
    status = json.loads(here("key", "status", "-o", "json").stdout)
    return {**{one["id"]: (one["state"], one["values"]) for one in status["keys"]}, "": status["plain"]}


def test_keys_are_generated_and_each_is_another(here: InProcess) -> None:
    lines = {here("key", "generate", "mine").stdout for _ in range(3)}
    assert len(lines) == 3
    assert all(list(parse(line, "x")) == ["mine"] for line in lines)
    assert here("key", "generate", "Not One").returncode == 2


def test_values_are_sealed_anew_and_counted(filled: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = generate("old"), generate("new")
    assert totals(filled) == {"": VALUES}
    assert filled("key", "rotate").returncode == 2
    monkeypatch.setenv("KUBEMIN_ENCRYPTION_KEYS", old)
    assert totals(filled) == {"old": ("seals", 0), "": VALUES}
    assert f"{VALUES} values were sealed anew" in filled("key", "rotate").stdout
    monkeypatch.setenv("KUBEMIN_ENCRYPTION_KEYS", f"{new},{old}")
    assert totals(filled) == {"new": ("seals", 0), "old": ("opens", VALUES), "": 0}
    assert json.loads(filled("key", "rotate", "-o", "json").stdout) == {"sealed": VALUES}
    assert totals(filled) == {"new": ("seals", VALUES), "old": ("opens", 0), "": 0}
    monkeypatch.setenv("KUBEMIN_ENCRYPTION_KEYS", old)
    assert totals(filled) == {"old": ("seals", 0), "new": ("missing", VALUES), "": 0}
    failed = filled("key", "rotate")
    assert failed.returncode == 1
    assert 'sealed with the key "new", which is not among the encryption keys' in failed.stderr


def test_a_server_says_whether_secrets_are_sealed_and_does_not_start_without_a_key_in_use(tmp_path: Path) -> None:
    kubemin, key = Kubemin(tmp_path), {"KUBEMIN_ENCRYPTION_KEYS": generate("mine")}
    for env, state in (({}, "plain"), (key, "sealed")):
        with kubemin.server("serve", "--simulate", "--workers", "0", env=env) as running:
            with urllib.request.urlopen(f"{running.url}/readyz") as reply:
                assert json.load(reply)["data"]["secrets"] == state
            assert (PLAIN in running.output) is (state == "plain")
            if state == "sealed":
                (tmp_path / "a.json").write_text(
                    json.dumps(
                        {
                            "name": "shop",
                            "component": [{"name": "login", "type": "secret", "properties": {"secret": {"a": "b"}}}],
                        }
                    )
                )
                assert Kubemin(tmp_path, running.url)("apply", "a.json", "--detach").returncode == 0
    with kubemin.server("dev", "--workers", "0", "--database", "sqlite:///trial.db") as trial:
        assert PLAIN not in trial.output
    for command in (("serve", "--simulate", "--port", "0", "--workers", "0"), ("worker", "--simulate")):
        refused = kubemin(*command)
        assert refused.returncode == 1
        assert 'are sealed with the key "mine"' in refused.stderr
