"""A secret in each place that can hold one, an application through its whole life, and then a look for it everywhere.

Where people or disks see something: replies of every GET route, events, metrics, what commands and servers print, the
database's rows and, of SQLite, its files byte by byte. What finds a secret there is a fault of its whole kind.
"""

import base64
import contextlib
import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote

import pytest

from kubemin.sealing.keys import generate
from tests.cli.kubemin import Kubemin, Running
from tests.servers.postgresql import Postgresql, binaries
from tests.waiting import PATIENCE

CANARIES = {
    name: f'cAnAry-{number}-"Zq7{name}\\x'
    for number, name in enumerate(
        (
            "secret",
            "data",
            "string",
            "pull",
            "marked",
            "init",
            "guessed",
            "url",
            "older",
            "failed",
            "cancelled",
            "kept",
        ),
        41,
    )
}
"""By place; each has characters that JSON, URLs and shells write in another way."""
CANARIES["url"] = "cAnAry48Zq7url"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def forms(canary: str) -> set[bytes]:
    """How it may be written: as it is, in JSON once and twice, in a URL, in base64 at each of the three places."""
    once = json.dumps(canary)[1:-1]
    texts = {canary, once, json.dumps(once)[1:-1], quote(canary, safe=""), repr(canary)[1:-1]}
    middle = {base64.b64encode(b"x" * shift + canary.encode())[(4 if shift else 0) : -4] for shift in range(3)}
    core = re.search(r"cAnAry-?\d\d", canary)
    assert core is not None
    return {text.encode() for text in (*texts, core[0])} | middle


def application(image: str = "web:1", secret: str = CANARIES["secret"], **env: str) -> dict[str, Any]:
    """Its configuration holds secrets wherever one can be."""
    pull = {"auths": {"registry.example": {"auth": b64(f"me:{CANARIES['pull']}")}}}
    manifests = [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "one"}, "data": {"k": b64(CANARIES["data"])}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "two"}, "stringData": {"k": CANARIES["string"]}},
    ]
    marked = {"name": "MARKED", "valueFrom": {"static": CANARIES["marked"]}, "sensitive": True}
    inner = {"name": "INNER", "valueFrom": {"static": CANARIES["init"]}, "sensitive": True}
    init = {"name": "first", "properties": {"image": "a:1"}, "traits": {"envs": [inner]}}
    return {
        "name": "shop",
        "component": [
            {"name": "keys", "type": "secret", "properties": {"secret": {"password": secret}}},
            {
                "name": "pull",
                "type": "secret",
                "properties": {
                    "secretType": "kubernetes.io/dockerconfigjson",
                    "secret": {".dockerconfigjson": json.dumps(pull)},
                },
            },
            {"name": "raw", "type": "manifests", "properties": {"manifests": manifests}},
            {
                "name": "web",
                "type": "webservice",
                "image": image,
                "properties": {"env": {"GREETING": "hello", **env}},
                "traits": {"envFrom": [{"type": "secret", "sourceName": "keys"}], "envs": [marked], "init": [init]},
            },
        ],
    }


GUESSED = {"API_TOKEN": CANARIES["guessed"], "DATABASE_URL": f"postgres://shop:{CANARIES['url']}@db/shop"}
"""Shown to whoever asks for the application itself: it is his own text. Nowhere else."""
OWN_TEXT = ("guessed", "url")


class Life:
    """Runs commands, and keeps all that anybody could see."""

    def __init__(self, folder: Path, url: str, env: dict[str, str]) -> None:
        self.folder, self.env, self.url = folder, env, url
        self.kubemin = Kubemin(folder, url)
        self.seen: dict[str, bytes] = {}

    def command(self, *arguments: str, code: int | None = 0) -> str:
        done = self.kubemin(*arguments)
        self.seen[f"kubemin {' '.join(arguments)}"] = (done.stdout + done.stderr).encode()
        assert code is None or done.returncode == code, (arguments, done)
        return done.stdout

    def apply(self, what: dict[str, Any], *options: str, code: int | None = 0) -> str:
        (self.folder / "shop.json").write_text(json.dumps(what))
        told = self.command("apply", "shop.json", *options, code=code)
        (self.folder / "shop.json").unlink()
        return told

    def get(self, path: str, seconds: float = PATIENCE) -> bytes:
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=seconds) as reply:
                body = b""
                with contextlib.suppress(TimeoutError):
                    while part := reply.read1(65536):
                        body += part
        except HTTPError as error:
            body = error.read()
        self.seen[f"GET {path}"] = body
        return body

    def walk(self) -> None:
        """Each GET route of the API, with each id that there is."""
        document = json.loads(self.get("/openapi.json"))
        (app,) = (one["id"] for one in json.loads(self.get("/api/v1/applications"))["data"]["applications"])
        tasks = [one["taskId"] for one in json.loads(self.get("/api/v1/tasks"))["data"]["tasks"]]
        for path, methods in document["paths"].items():
            if "get" not in methods or path == "/openapi.json":
                continue
            for task in tasks if "{task_id}" in path or "{taskId}" in path else tasks[:1]:
                named = re.sub(r"\{(task_?[iI]d)\}", task, re.sub(r"\{app_?[iI]d\}", app, path))
                for number in ("1", "2") if "{" in named else ("",):
                    self.get(
                        re.sub(r"\{[^}]*\}", number, named), seconds=1 if "events" in path or "logs" in path else 30
                    )
        for sides in ("from=1&to=2", "from=current&to=draft", "from=1&to=live"):
            self.get(f"/api/v1/applications/{app}/diff?{sides}")


def found_in(seen: dict[str, bytes], canaries: dict[str, str]) -> list[str]:
    return [
        f"{name} in {where}"
        for name, canary in canaries.items()
        for where, content in seen.items()
        if any(form in content for form in forms(canary))
    ]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.proof)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Any]]:
    """The URL of a database, and what gives all that is in it."""
    if request.param == "sqlite":

        def files() -> dict[str, bytes]:
            return {file.name: file.read_bytes() for file in tmp_path.glob("kubemin.db*")}

        yield f"sqlite:///{tmp_path}/kubemin.db", files
        return
    with Postgresql() as server:
        url = server.url(server.create_database())

        def dumped() -> dict[str, bytes]:
            command = [str(binaries() / "pg_dump"), "--inserts", url]
            return {"pg_dump": subprocess.run(command, check=True, capture_output=True).stdout}

        yield url, dumped


@pytest.mark.proof
def test_nothing_that_the_system_made_has_a_secret_in_it(tmp_path: Path, database: tuple[str, Any]) -> None:
    url, stored = database
    env = {
        "KUBEMIN_DATABASE_URL": url,
        "KUBEMIN_ENCRYPTION_KEYS": generate("first"),
        "KUBEMIN_KEEP_REVISIONS": "4",
        "KUBEMIN_CORE_DUMPS": "false",
        "TMPDIR": str(tmp_path / "tmp"),
    }
    (tmp_path / "tmp").mkdir()
    assert Kubemin(tmp_path)("migrate", env=env).returncode == 0
    with Kubemin(tmp_path).server("serve", "--simulate", "--workers", "1", env=env) as running:
        life = Life(tmp_path, running.url, env)
        _live(life, running)
        life.walk()
        life.get("/metrics")
        for pid in _family(running.process.pid):
            life.seen[f"command line of {pid}"] = Path(f"/proc/{pid}/cmdline").read_bytes()
            limits = Path(f"/proc/{pid}/limits").read_text()
            assert re.search(r"Max core file size\s+0\s+0", limits), limits
        beside = stored()
    life.seen["stdout of the server"] = running.output.encode()
    life.seen["stderr of the server"] = running.errors.encode()
    for file in (tmp_path / "tmp").rglob("*"):
        if file.is_file():
            life.seen[str(file)] = file.read_bytes()
    at_rest = {**beside, **{f"{name} at the end": content for name, content in stored().items()}}
    key = env["KUBEMIN_ENCRYPTION_KEYS"].partition("=")[2]
    assert [where for where, content in {**life.seen, **at_rest}.items() if key.encode() in content] == []
    assert found_in(at_rest, CANARIES) == []
    own = {name: canary for name, canary in CANARIES.items() if name not in OWN_TEXT}
    assert found_in(life.seen, own) == []
    shown = [where for where in found_in(life.seen, {name: CANARIES[name] for name in OWN_TEXT}) if _is_own(where)]
    assert [
        where for where in found_in(life.seen, {name: CANARIES[name] for name in OWN_TEXT}) if not _is_own(where)
    ] == []
    assert shown, "the look for secrets finds none that are shown"


def _is_own(where: str) -> bool:
    """Whether somebody asked for the application as it was written."""
    return re.search(r"GET \S*/(components|revisions/\d+|versions\S*)$|kubemin (get|export) ", where) is not None


def _live(life: Life, running: Running) -> None:
    """Deployed, updated, failed, rolled back, cancelled; with plans, previews, diffs, logs and evidence."""
    life.apply(application(secret=CANARIES["older"], **GUESSED))
    life.apply(application(**GUESSED), "--dry-run", code=10)
    life.apply(application(image="web:2", **GUESSED))
    life.apply(application(image="crash:1", secret=CANARIES["failed"], **GUESSED), "--timeout", "8", code=None)
    life.command("rollback", "shop")
    life.command("diff", "shop", "1", "2", code=None)
    life.command("diff", "shop", "-o", "json", code=None)
    for command in (
        ("get", "shop", "-o", "yaml"),
        ("export", "shop"),
        ("history", "shop", "-o", "json"),
        ("tasks", "-o", "json"),
        ("logs", "shop"),
        ("apps", "-o", "json"),
        ("orphans",),
    ):
        life.command(*command, code=None)
    (life.folder / "plan.json").write_text(json.dumps(application(**GUESSED)))
    life.command("plan", "plan.json")
    life.command("plan", "plan.json", "-o", "json")
    life.command("plan", "plan.json", "--server", life.url, code=None)
    life.command("try", "plan.json")
    task = life.apply(
        application(image="slow-60:1", secret=CANARIES["cancelled"], **GUESSED), "--detach", "-o", "name"
    ).strip()
    life.command("cancel", task, code=None)
    for one in life.command("tasks", "-o", "name").split():
        life.command("status", one, code=None)
        life.command("resources", one, "-o", "json", code=None)
        life.command("events", one, "-o", "json", code=None)
    (life.folder / "plan.json").unlink()
    kept = application(image="web:3", secret=CANARIES["kept"], **GUESSED)
    life.apply(kept)


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in _family(int(child)))]
