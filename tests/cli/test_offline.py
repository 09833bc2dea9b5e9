"""What needs no server: help, version, try, plan, and every way to be refused."""

import errno
import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import typer

from tests.cli.kubemin import PROGRAM, InProcess, Kubemin, environment

SHOP = """
name: shop
component:
- {name: web, type: webservice, image: "web:1", properties: {ports: [{port: 80}]}}
- {name: keys, type: secret, properties: {secret: {token: hush-hush}}}
workflow:
- {name: first, components: [keys]}
- {name: then, components: [web]}
"""


@pytest.fixture
def shop(tmp_path: Path) -> str:
    (tmp_path / "shop.yaml").write_text(SHOP)
    return "shop.yaml"


SERVERS = ["dev", "serve", "worker", "sim", "migrate"]
OFFLINE = ["try", "plan", "import", "version", "init", "schema"]
CLIENTS = ["apply", "status", "tasks", "resources", "cancel", "cleanup", "orphans", "apps", "promote"]
CLIENTS += ["get", "export", "history", "diff", "rollback", "restart", "delete"]
COMMANDS = [*SERVERS, *OFFLINE, *CLIENTS]


def test_help_names_every_command(kubemin: Kubemin) -> None:
    answer = kubemin("--help")
    assert answer.returncode == 0
    for command in COMMANDS:
        assert f"\n  {command} " in answer.stdout
    assert "..." not in answer.stdout.partition("Commands:")[2]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(here: InProcess, command: str) -> None:
    answer = here(command, "--help")
    assert answer.returncode == 0
    assert ("--output" in answer.stdout) is (command not in SERVERS)
    assert ("KUBEMIN_SERVER" in answer.stdout) is (command in [*CLIENTS, "plan", "init"])
    assert ("KUBEMIN_TOKEN" in answer.stdout) is (command in [*CLIENTS, "plan"])


@pytest.mark.parametrize("command", [*OFFLINE, *CLIENTS])
def test_a_command_that_lacks_what_it_needs_says_so(here: InProcess, command: str) -> None:
    from kubemin.cli.app import app

    parser: Any = typer.main.get_command(app)
    if any(one.required for one in parser.commands[command].params):
        answer = here(command)
        assert answer.returncode == 2
        assert "Missing " in answer.stderr


def test_start_up_imports_no_heavy_room(kubemin: Kubemin) -> None:
    answer = kubemin("--help", env={"PYTHONPROFILEIMPORTTIME": "1"})
    imported = {line.rpartition("|")[2].strip() for line in answer.stderr.splitlines()}
    assert "typer" in imported
    assert not imported & {"fastapi", "pydantic", "httpx", "sqlalchemy", "aiohttp", "yaml", "rich.console"}


def test_what_needs_no_server_imports_none(kubemin: Kubemin, shop: str) -> None:
    answer = kubemin("try", shop, env={"PYTHONPROFILEIMPORTTIME": "1"})
    imported = {line.rpartition("|")[2].strip() for line in answer.stderr.splitlines()}
    assert "pydantic" in imported
    assert not imported & {"fastapi", "sqlalchemy", "aiohttp", "kubernetes_asyncio", "kubemin.engine", "kubemin.api"}


def test_version(kubemin: Kubemin) -> None:
    import kubemin as package

    assert kubemin("version").stdout == f"kubemin {package.__version__}\n"
    assert json.loads(kubemin("version", "-o", "json").stdout) == {"version": package.__version__}


def test_try_takes_what_is_right(kubemin: Kubemin, shop: str) -> None:
    answer = kubemin("try", shop)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "shop.yaml: valid\n", "")
    answer = kubemin("try", "-", "-o", "json", stdin=SHOP)
    assert json.loads(answer.stdout) == {"valid": True, "errors": [], "warnings": []}


def test_try_names_everything_that_is_wrong(here: InProcess, tmp_path: Path) -> None:
    wrong = {"name": "S", "component": [{"name": "web", "type": "webservice"}, {"name": "web", "type": "robot"}]}
    (tmp_path / "wrong.json").write_text(json.dumps(wrong))
    answer = here("try", "wrong.json", "-o", "json")
    assert answer.returncode == 1
    found = json.loads(answer.stdout)
    assert found["valid"] is False
    codes = {issue["code"] for issue in found["errors"]}
    assert {"NAME_TOO_SHORT", "MISSING_IMAGE", "INVALID_COMPONENT_TYPE", "DUPLICATE_COMPONENT"} <= codes
    lines = here("try", "wrong.json").stdout.splitlines()
    assert len(lines) == len(found["errors"])


MISTAKEN = """
name: shop
component:
- {name: web, type: webservise, image: "web:1"}
- name: db
  typ: store
  properties:
    ports: [{port: 99999}]
workflow: [{name: a, components: [webb]}]
"""


@pytest.mark.parametrize("command", ["try", "plan"])
def test_each_mistake_has_its_place_and_what_was_meant(here: InProcess, tmp_path: Path, command: str) -> None:
    (tmp_path / "shop.yaml").write_text(MISTAKEN)
    answer = here(command, "shop.yaml")
    said = (answer.stdout + answer.stderr).replace("kubemin: ", "")
    assert answer.returncode == 1
    lines = MISTAKEN.splitlines()
    found = [re.fullmatch(r"shop\.yaml:(\d+):(\d+): (\w+)  (.*)", line) for line in said.splitlines()]
    places = [(one[3], lines[int(one[1]) - 1][int(one[2]) - 1 :], one[4]) for one in found if one]
    assert len(found) == len(places), said
    for code, begins, meant in (
        ("INVALID_COMPONENT_TYPE", "type: webservise", 'did you mean "webservice"?'),
        ("UNKNOWN_FIELD", "typ: store", 'did you mean "type"?'),
        ("INVALID_FIELD_VALUE", "port: 99999", "port 99999"),
        ("COMPONENT_NOT_FOUND", "webb", 'did you mean "web"?'),
    ):
        assert any(one[0] == code and one[1].startswith(begins) and meant in one[2] for one in places), (code, said)


def test_a_mistake_in_a_kubernetes_object_has_the_place_in_its_file(here: InProcess, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    (tmp_path / "b.yaml").write_text("# b\napiVersion: v1\nkind: Pod\nmetadata:\n  name: b\n")
    answer = here("try", "--name", "shop", "a.yaml", "b.yaml", "-o", "json")
    found = json.loads(answer.stdout)["errors"]
    assert {one["file"] for one in found} == {"b.yaml"}
    assert (3, 1) in {(one["line"], one["column"]) for one in found}, found


def test_plan_shows_the_stages_in_order_without_secrets(here: InProcess, shop: str) -> None:
    answer = here("plan", shop)
    assert answer.returncode == 0
    order = [
        answer.stdout.index(word) for word in ("Secret/default/shop-keys", "Service/default", "Deployment/default")
    ]
    assert order == sorted(order)
    as_json = here("plan", shop, "-o", "json").stdout
    assert "aHVzaC1odXNo" not in as_json
    assert "hush-hush" not in as_json
    assert len(json.loads(as_json)["stages"]) >= 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot read x.yaml: no such file or directory"),
        (b"\xff\xfe\x00", "cannot read x.yaml: it is not UTF-8"),
        (b"", "x.yaml holds no documents"),
        (b"name: a\n---\nname: b\n---\nname: A\n", "x.yaml, document 3 and x.yaml, document 1 hold the same"),
        (b"name: a\n---\n[]\n", "x.yaml, document 2 does not hold an application"),
        (b"a: [1", "x.yaml is neither YAML nor JSON"),
        (b"a: !!python/object:os.system {}", "x.yaml is neither YAML nor JSON"),
        (b"- " * 5000, "x.yaml is neither YAML nor JSON"),
        (b"a: {b: 1, b: 2}", "x.yaml is neither YAML nor JSON: b is given twice at line 1, column 11"),
    ],
)
@pytest.mark.parametrize("command", [["try"], ["plan"], ["apply", "--server", "http://127.0.0.1:9"]])
def test_a_file_that_cannot_be_read_is_a_sentence_and_exit_2(
    here: InProcess, tmp_path: Path, content: bytes | None, sentence: str, command: list[str]
) -> None:
    if content is not None:
        (tmp_path / "x.yaml").write_bytes(content)
    answer = here(*command, "x.yaml")
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert answer.stderr.startswith(f"kubemin: {sentence}")
    assert len(answer.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["plan", "-"], 2, "stdin does not hold an application"),
        (["apply", "-"], 2, "does not hold an application"),
        (["apply"], 2, "name the file of an application"),
        (["status"], 2, "Missing argument"),
        (["fly"], 2, "No such command"),
        (["tasks", "--status", "odd"], 2, "odd"),
        (["apps", "--server", "http://127.0.0.1:9"], 6, "no server answers at http://127.0.0.1:9"),
        (["apps", "--server", "nonsense"], 2, "nonsense"),
        (["apps", "--server", "http://[::1"], 2, "http://[::1"),
        (["dev", "--workers", "2", "--in-process"], 2, "exclude each other"),
        (["serve", "--host", ""], 2, "refusing to listen on every address"),
        (["serve", "--host", "::"], 2, "refusing to listen on ::"),
        (["serve", "--host", "example.org"], 2, "refusing to listen on example.org"),
        (["dev", "--port", "70000"], 2, "65535"),
    ],
)
def test_what_is_wrong_is_a_sentence(here: InProcess, arguments: list[str], code: int, words: str) -> None:
    is_a_sentence(here(*arguments, stdin="[]"), code, words)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["dev", "--host", "0.0.0.0"], 2, "refusing to listen on 0.0.0.0"),
        (["dev", "--in-process", "--port", "0", "--kubeconfig", "missing.yaml"], 1, "missing.yaml"),
        pytest.param(["migrate", "--database", "sqlite:////nowhere/at/all/x.db"], 1, "", marks=pytest.mark.proof),
        pytest.param(
            ["dev", "--in-process", "--port", "0", "--database", "oracle://x"], 2, "oracle", marks=pytest.mark.proof
        ),
        pytest.param(["worker", "--database", "postgresql://x@127.0.0.1:9/x"], 1, "", marks=pytest.mark.proof),
    ],
)
def test_what_is_wrong_is_a_sentence_of_the_process(
    kubemin: Kubemin, arguments: list[str], code: int, words: str
) -> None:
    is_a_sentence(kubemin(*arguments, stdin="[]"), code, words)


def is_a_sentence(answer: "subprocess.CompletedProcess[str]", code: int, words: str) -> None:
    assert answer.returncode == code, answer.stderr
    assert words in answer.stderr
    assert "Traceback" not in answer.stderr
    assert answer.stderr.strip()


def test_a_wrong_setting_is_named(kubemin: Kubemin) -> None:
    answer = kubemin("dev", env={"KUBEMIN_LEASE_SECONDS": "soon"})
    assert answer.returncode == 2
    assert answer.stderr.startswith("kubemin: setting KUBEMIN_LEASE_SECONDS: ")
    answer = kubemin("serve", env={"KUBEMIN_HOST": "0.0.0.0"})
    assert answer.returncode == 2
    assert "refusing to listen on 0.0.0.0" in answer.stderr


def test_a_folder_or_a_file_that_may_not_be_looked_at_is_a_sentence(
    here: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may look at everything: the system's answer is given here."""
    folder = tmp_path / "closed"
    folder.mkdir()

    def refused(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    with monkeypatch.context() as closed:
        closed.setattr(Path, "iterdir", refused)
        answer = here("try", "closed")
    assert (answer.returncode, answer.stderr) == (2, "kubemin: cannot read closed: permission denied\n")
    with monkeypatch.context() as closed:
        closed.setattr(Path, "is_dir", refused)
        closed.setattr(Path, "read_text", refused)
        answer = here("try", "closed/x.yaml")
    assert (answer.returncode, answer.stderr) == (2, "kubemin: cannot read closed/x.yaml: permission denied\n")
    answer = here("try", "a" * 300)
    assert answer.returncode == 2
    assert answer.stderr.startswith("kubemin: cannot read aaa")
    assert answer.stderr.endswith(": file name too long\n")


def test_stdin_is_read_as_a_file_is(kubemin: Kubemin) -> None:
    """In UTF-8, with or without a mark of it, whatever the locale says; and closed it is empty."""
    said = "name: grüße\n".encode()
    for text in (said, b"\xef\xbb\xbf" + said):
        answer = _fed(kubemin, "try", "-", stdin=text, env={"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"})
        assert answer.returncode == 1
        assert "grüße" in answer.stdout.decode("latin-1")
    answer = _fed(kubemin, "try", "-", stdin=b"\xff")
    assert (answer.returncode, answer.stderr) == (2, b"kubemin: cannot read stdin: it is not UTF-8\n")


def _fed(
    kubemin: Kubemin, *arguments: str, stdin: bytes, env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [PROGRAM, *arguments], cwd=kubemin.folder, env=environment(env), input=stdin, capture_output=True, check=False
    )


@pytest.mark.parametrize("closed", ["0", "1", "2", "0 1 2"])
def test_a_command_may_have_no_streams(kubemin: Kubemin, closed: str) -> None:
    """As some schedulers start commands: nothing takes their place, and nothing fails for it."""
    (kubemin.folder / "x.yaml").write_text("name: shop\ncomponent: [{name: conf, type: config}]\n")
    closing = " ".join(f"{number}{'<' if number == '0' else '>'}&-" for number in closed.split())
    for command, code in (("try x.yaml", 0), ("try -", 2), ("delete shop --server http://127.0.0.1:9", 6)):
        if command == "try -" and "0" not in closed.split():
            continue
        answer = subprocess.run(
            ["sh", "-c", f'exec "$0" {command} {closing}', PROGRAM],
            cwd=kubemin.folder,
            env=environment(None),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == code, (command, answer.stderr)
        assert "Traceback" not in answer.stderr


def test_output_that_cannot_be_written_is_a_sentence(kubemin: Kubemin) -> None:
    with open("/dev/full", "w") as full:
        answer = subprocess.run(
            [PROGRAM, "schema"],
            cwd=kubemin.folder,
            env=environment(None),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (answer.returncode, answer.stderr) == (1, b"kubemin: cannot write stdout: no space left on device\n")


def test_of_several_applications_each_is_named(here: InProcess, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("name: one\n---\nname: two\nnamespace: shop\n")
    found = json.loads(here("try", "x.yaml", "-o", "json").stdout)["applications"]
    assert [one["application"] for one in found] == ["default/one", "shop/two"]


def test_what_a_note_says_is_no_option(here: InProcess, tmp_path: Path) -> None:
    """Only ``-o`` decides whether what goes wrong is said as JSON."""
    for arguments in (["--note", "with -o json"], ["--set", "a.image=--output=json"], []):
        assert here("apply", "nosuchfile", *arguments).stderr.startswith("kubemin: cannot read nosuchfile")
    for words in ("-o json", "-ojson", "-qo json", "-qojson", "--output=json", "--output json"):
        assert "error" in json.loads(here("apply", "nosuchfile", *words.split()).stderr)
