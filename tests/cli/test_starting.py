"""``kubemin init`` and ``kubemin schema``: a file to begin with, which is right as it stands."""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml
from jsonschema_rs import Draft202012Validator

from kubemin.spec.schema import schema_text
from tests.cli.kubemin import InProcess

CHINESE = {"LC_ALL": "zh_CN.UTF-8"}
_CODE = re.compile(r"^( *)# ( *(?:- )?\w+:(?: .*)?)$", re.MULTILINE)
"""A line of the application that is a comment; a sentence of one is no such line."""


@pytest.mark.parametrize("language", [{}, CHINESE], ids=["english", "chinese"])
def test_a_first_application_is_right_as_it_stands_and_with_all_that_is_a_comment(
    here: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: dict[str, str]
) -> None:
    for name, value in language.items():
        monkeypatch.setenv(name, value)
    assert here("init", "shop").returncode == 0
    text = (tmp_path / "shop.yaml").read_text(encoding="utf-8")
    assert any("\u4e00" <= character <= "\u9fff" for character in text) is bool(language)
    whole = _CODE.sub(r"\1\2", text)
    (tmp_path / "whole.yaml").write_text(whole, encoding="utf-8")
    assert yaml.safe_load(whole).keys() - yaml.safe_load(text).keys() == {"workflow"}
    validator = Draft202012Validator(json.loads(schema_text()))
    for file, content in (("shop.yaml", text), ("whole.yaml", whole)):
        answer = here("try", file)
        assert (answer.returncode, answer.stderr) == (0, ""), answer.stdout
        assert validator.is_valid(yaml.safe_load(content))


def test_its_schema_lies_beside_it_and_is_no_application(here: InProcess, tmp_path: Path) -> None:
    answer = here("init", "shop", "--out", "apps/shop.yaml", "-o", "json")
    files = json.loads(answer.stdout)["files"]
    named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", (tmp_path / "apps/shop.yaml").read_text())
    assert named
    schema = tmp_path / "apps" / named[1]
    assert files == ["apps/shop.yaml", str(schema.relative_to(tmp_path))]
    assert schema.read_text(encoding="utf-8") == schema_text()
    assert here("try", "apps").returncode == 0


def test_a_server_has_the_schema(here: InProcess, tmp_path: Path) -> None:
    assert here("init", "shop", "--server", "http://kubemin.example:8000/").returncode == 0
    first = (tmp_path / "shop.yaml").read_text().splitlines()[0]
    assert first.endswith("$schema=http://kubemin.example:8000/schema/application.json")
    assert [path.name for path in tmp_path.iterdir()] == ["shop.yaml"]


def test_what_is_there_is_not_written_over(here: InProcess, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text("mine")
    assert here("init", "shop").returncode == 2
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]
    for name in ("S", "-x", "a b", "0"):
        assert here("init", "--", name).returncode == 2


def test_the_schema_is_printed(here: InProcess) -> None:
    assert here("schema").stdout == schema_text()
    assert json.loads(here("schema", "-o", "json").stdout) == json.loads(schema_text())


def test_what_is_said_to_be_typed_next_may_be_typed(here: InProcess, tmp_path: Path) -> None:
    """Whatever the file is called."""
    said = here("init", "shop", "--out", "my apps/it's shop.yaml").stdout.splitlines()[-1]
    written = (tmp_path / "my apps" / "it's shop.yaml").read_text().splitlines()
    commands = [said, *(line.partition("    ")[0] for line in written if line.startswith("#   kubemin "))]
    assert len(commands) == 4
    for line in commands[:3]:
        assert here(*shlex.split(line.partition("kubemin ")[2])).returncode == 0, line
