"""Applications at the command line, against a server: history, several at once, a plan that is run as it was read."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from kubemin.cli import completing
from kubemin.cli.exits import Exit
from kubemin.client import Client
from kubemin.spec.ids import application_id
from tests.cli.kubemin import InProcess, Running
from tests.client.proxy import Proxy

Answer = Any


@pytest.fixture
def run(here: InProcess, server: Running) -> Iterator[Callable[..., Answer]]:
    def call(*arguments: str, code: int = Exit.OK, stdin: str = "") -> Answer:
        answer = here(*arguments, "--server", server.url, stdin=stdin)
        assert answer.returncode == code, answer.stdout + answer.stderr
        return answer

    return call  # type: ignore[return-value]


def conf(value: str) -> dict[str, Any]:
    return {"name": "settings", "type": "config", "properties": {"conf": {"a": value}}}


def write(folder: Path, name: str, *parts: dict[str, Any]) -> str:
    (folder / f"{name}.json").write_text(json.dumps({"name": name, "component": list(parts)}))
    return f"{name}.json"


def test_an_application_and_its_history(run: Callable[..., Answer], tmp_path: Path) -> None:
    keys = {"name": "keys", "type": "secret", "properties": {"secret": {"token": "hush-hush"}}}
    web = {"name": "web", "type": "webservice", "image": "web:1"}
    file = write(tmp_path, "shop", conf("1"), keys, web)
    assert "ConfigMap/default/shop-settings" in run("apply", file, "--dry-run", code=Exit.DIFFERS).stdout
    run("history", "shop", code=Exit.FAILED)  # a dry run stores nothing
    run("apply", file, "--note", "the first")
    run("apply", file, "--dry-run")
    run("apply", file, "--set", "web.image=web:2", "--set", "web.env.LEVEL=debug")
    assert json.loads(run("history", "shop", "-o", "json").stdout)["total"] == 2
    lines = run("history", "default/shop").stdout.splitlines()
    assert ("current" in lines[1], "superseded" in lines[2], lines[2].endswith("the first")) == (True, True, True)
    assert "web:2" in run("get", "shop").stdout
    found = json.loads(run("get", "shop", "-o", "json").stdout)
    states = {one["name"]: one["state"] for one in found["components"]}
    assert states == {"settings": "Ready", "keys": "Ready", "web": "Running"}
    assert "web:1" in run("get", "shop", "--revision", "1").stdout
    text = run("get", "shop", "-o", "yaml").stdout
    assert "hush" not in text
    run("apply", "-", "--dry-run", stdin=text)  # what it prints is what is deployed, secrets included
    shown = run("diff", "shop", "1", "2", code=Exit.DIFFERS).stdout
    assert '"web:1" → "web:2"' in shown
    assert run("diff", "shop").stdout == "no difference\n"
    run("diff", "shop", "1", "--live", code=Exit.DIFFERS)
    run("diff", "shop", "1", "2", "--live", code=Exit.USAGE)
    run("rollback", "shop", "--dry-run", code=Exit.DIFFERS)
    run("rollback", "shop", "1")
    assert run("diff", "shop", "1").stdout == "no difference\n"
    run("restart", "shop", "web", "--detach")
    run("status", "shop", "--follow")
    run("rollback", "shop", "77", code=Exit.FAILED)


def test_several_are_one_table(run: Callable[..., Answer], tmp_path: Path) -> None:
    late = {"name": "web", "type": "webservice", "image": "web:never"}
    files = [write(tmp_path, "fine", conf("1")), write(tmp_path, "late", late), write(tmp_path, "bad", {"name": "x"})]
    table = run("apply", *files, "--timeout", "1", code=Exit.FAILED).stdout.splitlines()[-4:]
    assert [line.split()[0] for line in table] == ["APPLICATION", "default/fine", "default/late", "default/bad"]
    assert [line.split()[3] for line in table[1:]] == ["completed", "timeout", "refused"]
    found = json.loads(run("apply", *files[:2], "--detach", "-o", "json").stdout)["applications"]
    assert [one["revision"] for one in found] == [2, 2]
    run("cancel", found[1]["taskId"], "--wait")


def test_all_or_nothing(run: Callable[..., Answer], here: InProcess, server: Running, tmp_path: Path) -> None:
    """One had a revision before, one was not there; a further one still runs as one fails. Answers may be lost."""
    run("apply", write(tmp_path, "had", conf("1")))
    late = {"name": "web", "type": "webservice", "image": "web:never"}
    files = [
        write(tmp_path, "had", conf("2")),
        write(tmp_path, "new", conf("2")),
        write(tmp_path, "long", late),
        write(tmp_path, "wrong", {**late, "image": "web:pull", "properties": {"hopelessAfter": 1}}),
    ]
    apps = [f"/api/v1/applications/{application_id('default', name)}" for name in ("had", "new")]
    with Proxy(server.url) as proxy:
        proxy.loses = [f"{apps[0]}/rollback", f"{apps[0]}/revisions", apps[1]]
        answer = here("apply", *files, "--all-or-nothing", "-o", "json", "--server", proxy.url)
        assert proxy.loses == []
    assert answer.returncode == Exit.FAILED, answer.stdout + answer.stderr
    had, new, long, wrong = json.loads(answer.stdout)["applications"]
    assert (had["status"], had["undone"][0]) == ("completed", "rolled back to revision 1")
    assert (new["status"], new["undone"][0]) == ("completed", "deleted; it was not there before")
    assert (long["status"], wrong["status"]) == ("cancelled", "failed")
    assert run("diff", "had", "1").stdout == "no difference\n"
    assert json.loads(run("get", "had", "-o", "json").stdout)["revision"] == 3
    run("get", "new", code=Exit.FAILED)
    run("apply", files[0], write(tmp_path, "bad", {"name": "x"}), "--all-or-nothing", code=Exit.FAILED)
    assert run("diff", "had", "1").stdout == "no difference\n"


def test_a_plan_is_run_as_it_was_read(run: Callable[..., Answer], tmp_path: Path, server: Running) -> None:
    file = write(tmp_path, "read", conf("1"))
    before = (tmp_path / file).read_text()
    assert "is no plan" in run("plan", file, "--out", file, code=Exit.USAGE).stderr, "what is no plan stays"
    assert (tmp_path / file).read_text() == before
    run("plan", file, "--out", "plan.json")
    run("apply", "--plan", "plan.json")
    run("apply", "--plan", "plan.json", code=Exit.FAILED)  # another revision is deployed
    write(tmp_path, "read", conf("2"))
    run("plan", file, "--out", "plan.json")
    write(tmp_path, "read", conf("3"))
    answer = run("apply", "--plan", "plan.json", code=Exit.FAILED)
    assert "ConfigMap/default/read-settings is to become something else" in answer.stderr
    assert json.loads(run("history", "read", "-o", "json").stdout)["total"] == 1


def test_a_shell_completes_applications_and_tasks(
    run: Callable[..., Answer], tmp_path: Path, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = json.loads(run("apply", write(tmp_path, "completed", conf("1")), "-o", "json").stdout)
    from kubemin.cli.app import app

    ctx = typer.Context(typer.main.get_command(app))
    monkeypatch.setenv("KUBEMIN_SERVER", server.url)
    assert completing.applications(ctx, "compl") == ["completed"]
    assert completing.tasks(ctx, done["taskId"][:6]) == [done["taskId"]]
    monkeypatch.setenv("KUBEMIN_SERVER", "http://127.0.0.1:9")
    assert completing.tasks(ctx, "") == []
    with Client(server.url) as client:
        assert client.application("default/completed")["name"] == "completed"


def test_what_is_named_is_warned_of_where_the_cluster_has_none(
    run: Callable[..., Answer], tmp_path: Path, server: Running
) -> None:
    run("apply", write(tmp_path, "first", conf("1")))
    sources = [{"type": "config", "sourceName": "first-settings"}, {"type": "config", "sourceName": "second-settings"}]
    properties = {"env": {"URL": "http://nobody:80"}}
    web = {
        "name": "web",
        "type": "webservice",
        "image": "web",
        "properties": properties,
        "traits": {"envFrom": sources},
    }
    file = write(tmp_path, "second", web)
    with Client(server.url) as client:
        tried = client.check(json.loads((tmp_path / file).read_text()))
    codes = {one["field"]: one["code"] for one in tried["warnings"]}
    assert codes == {
        "component[0].image": "UNPINNED_IMAGE",
        "component[0].properties.env.URL": "UNKNOWN_HOST",
        "component[0].traits.envFrom[1].sourceName": "NOT_IN_APPLICATION",
    }
    lines = run("plan", file).stdout.splitlines()
    text = (tmp_path / file).read_text()
    places = [f"second.json:1:{text.index(field) + 1}" for field in ('"URL"', '"image"')]
    assert [line.split(": ")[1] for line in lines if line.startswith("warning: ")] == places
    assert any("second-settings" in line and "is not there" in line for line in lines), lines
