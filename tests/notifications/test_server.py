"""A server with targets, as a user starts it: what its tasks do is told, and nothing secret is in what it prints."""

import asyncio
from pathlib import Path

import yaml

from tests.cli.kubemin import Kubemin
from tests.notifications.receiver import receiving
from tests.notifications.rows import SECRET

HUSH = "hush-hush"
SHA = "0123456789abcdef0123456789abcdef01234567"
SHOP = {
    "name": "shop",
    "component": [{"name": "conf", "type": "config", "properties": {"conf": {"level": "info"}}}],
}


async def test_a_server_tells_of_its_tasks(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(yaml.safe_dump(SHOP))
    async with receiving() as hook, receiving() as ci:
        targets = [
            {"name": "ops", "url": f"{hook.url}?{HUSH}", "secret": SECRET},
            {"name": "ci", "template": "github-status", "url": ci.url, "token": HUSH},
            {"name": "down", "template": "slack", "url": f"http://127.0.0.1:1/{HUSH}"},
        ]
        env = {"KUBEMIN_NOTIFICATIONS": yaml.safe_dump(targets), "KUBEMIN_PUBLIC_URL": "https://kubemin.example"}

        def use() -> str:
            with Kubemin(tmp_path).dev(env=env) as server:
                kubemin = Kubemin(tmp_path, server.url)
                done = kubemin("apply", "shop.yaml", "--commit", f"octo/shop@{SHA}", "-q")
                assert done.returncode == 0, done.stderr
                asyncio.run_coroutine_threadsafe(hook.has(1), loop).result()
                asyncio.run_coroutine_threadsafe(ci.has(2), loop).result()
                shown = kubemin("notifications", "list", "-o", "json")
                assert shown.returncode == 0
            return server.output + shown.stdout

        loop = asyncio.get_running_loop()
        printed = await asyncio.to_thread(use)
    assert hook.got[0].json["type"] == "task.completed"
    assert hook.got[0].json["data"]["url"].startswith("https://kubemin.example/#/tasks/")
    assert [one.json["state"] for one in ci.got] == ["pending", "success"]
    assert {one.path for one in ci.got} == {f"/hook/repos/octo/shop/statuses/{SHA}"}
    assert HUSH not in printed
    assert SECRET not in printed


def test_a_setting_that_is_wrong_is_refused_with_its_place(tmp_path: Path) -> None:
    refused = Kubemin(tmp_path)("serve", env={"KUBEMIN_NOTIFICATIONS": yaml.safe_dump([{"name": "a", "url": HUSH}])})
    assert refused.returncode == 2
    assert "KUBEMIN_NOTIFICATIONS" in refused.stderr
    assert "target 0: url is no http:// or https:// URL" in refused.stderr
    assert HUSH not in refused.stderr + refused.stdout
