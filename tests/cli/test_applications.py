"""What a command reads: files and folders of many documents, `--set`, and what the caller's machine has."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.cli.applications import applications
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.files import Spec
from kubemin.cli.filling import filled
from kubemin.cli.sets import apply_sets
from kubemin.cli.writing import yaml_text
from kubemin.spec.application import parse_application
from kubemin.spec.expressions import resolved
from kubemin.spec.text import parse
from tests.cli.kubemin import InProcess

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ODD = st.sampled_from(["yes", "010", "1.10", "2020-01-01", "~", "a\nb", "  x\ny", "\n", "a: b", "# x", "<<", "0x1f"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT | ODD,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=15,
)


def spec(data: dict[str, Any], folder: Path = Path()) -> Spec:
    return Spec("x.yaml", folder, data)


def web(**more: Any) -> dict[str, Any]:
    return {"name": "shop", "component": [{"name": "web", "type": "webservice", "image": "web:1", **more}]}


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(CliError) as error:
        act()
    assert error.value.code == Exit.USAGE
    return error.value.message


def test_files_folders_and_documents_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("name: b1\n---\nname: b2\nnamespace: other\n")
    (tmp_path / "a.json").write_text('{"name": "a"}')
    (tmp_path / "notes.txt").write_text("nothing")
    found = applications([str(tmp_path)])
    assert [one.name for one in found] == ["default/a", "default/b1", "other/b2"]
    assert found[2].where.endswith("b.yaml, document 2")
    only = applications([str(tmp_path / "a.json")], namespace="team")
    assert only[0].data == {"name": "a", "namespace": "team"}
    assert "names the namespace other" in refused(lambda: applications([str(tmp_path)], namespace="team"))
    assert "hold the same application, default/a" in refused(
        lambda: applications([str(tmp_path), f"{tmp_path}/a.json"])
    )
    (tmp_path / "empty").mkdir()
    assert "holds no .json, .yaml or .yml file" in refused(lambda: applications([f"{tmp_path}/empty"]))


@given(TEXT | st.text("${ }env.A", max_size=20), st.text("$ }envA", max_size=9))
def test_what_is_filled_in_is_plain_text(value: str, after: str) -> None:
    """Whatever it is: the server reads just that, also where it looks like an expression."""
    data = filled(spec(web(properties={"env": {"A": "${{ env.VALUE }}" + after}})), {"VALUE": value})
    assert data["component"][0]["properties"]["env"]["A"] == value.replace("${{", "$${{") + after


def test_the_server_reads_the_value_and_resolves_its_own(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>${{ app.name }}</p>")
    env = {"A": "${{ env.SECRET }} of ${{ app.name }}", "B": "$${{ env.SECRET }}", "C": "${{file.page.html}}"}
    data = filled(spec(web(properties={"env": env}), tmp_path), {"SECRET": "a$b ${{ app.id }}"})
    application, issues = resolved(parse_application(data))
    assert issues == []
    assert application.component[0].properties.env == {
        "A": "a$b ${{ app.id }} of shop",
        "B": "${{ env.SECRET }}",
        "C": "<p>${{ app.name }}</p>",
    }


def test_all_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret").write_text("x")
    (tmp_path / "in" / "binary").write_bytes(b"\xff")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "secret")
    env = {
        "A": "${{ env.NOT_THERE }}",
        "B": "${{ file.no.txt }}",
        "C": "${{ file.../secret }}",
        "D": "${{ file.link }}",
        "E": "${{ file.binary }}",
        "F": "${{ env.DOLLAR }}${{ app.name }}",
    }
    said = refused(lambda: filled(spec(web(properties={"env": env}), tmp_path / "in"), {"DOLLAR": "9$"}))
    where = "component[0].properties.env"
    assert said == (
        f"x.yaml: {where}.A: the environment has no NOT_THERE"
        f"; {where}.B: cannot read the file no.txt: no such file or directory"
        f"; {where}.C: ../secret is outside of the folder of the application's file"
        f"; {where}.D: link is outside of the folder of the application's file"
        f"; {where}.E: cannot read the file binary: it is not UTF-8 text"
        f"; {where}.F: ${{{{ env.DOLLAR }}}} ends in $, and cannot stand right before an expression"
    )


def test_set_changes_images_and_environments() -> None:
    shop, other = spec(web(properties={"image": "web:1"})), spec({**web(), "name": "other"})
    changed = apply_sets([shop], ["web.image=web:2", "web.env.A=x=${{ app.name }}", "shop/web.env.B="])[0]
    part = changed["component"][0]
    assert (part["image"], part["properties"]) == ("web:2", {"env": {"A": "x=$${{ app.name }}", "B": ""}})
    assert shop.data["component"][0]["image"] == "web:1"
    assert [one["component"][0]["image"] for one in apply_sets([shop, other], ["other/web.image=x"])] == ["web:1", "x"]
    assert "default/shop, default/other each have it" in refused(lambda: apply_sets([shop, other], ["web.image=x"]))
    assert "there is no such component; there is web" in refused(lambda: apply_sets([shop], ["db.image=x"]))
    for wrong in ("web.replicas=SECRET", "web", "image=SECRET", "web.env.=SECRET"):
        said = refused(lambda wrong=wrong: apply_sets([shop], [wrong]))  # type: ignore[misc]
        assert "COMPONENT.image=IMAGE" in said
        assert "SECRET" not in said


@given(st.dictionaries(TEXT, VALUES, min_size=1))
def test_what_is_written_as_yaml_is_read_as_the_same(value: dict[str, Any]) -> None:
    assert parse(yaml_text(value)) == [value]


def test_try_and_plan_take_them_too(here: InProcess, tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(yaml_text(web()) + "---\n" + yaml_text({**web(image=""), "name": "other"}))
    answer = here("try", "two.yaml")
    assert (answer.returncode, answer.stdout.splitlines()[0]) == (1, "two.yaml, document 1: valid")
    answer = here("plan", "two.yaml", "--set", "other/web.image=web:7", "-o", "json")
    assert [one["application"] for one in json.loads(answer.stdout)["applications"]] == [
        "default/shop",
        "default/other",
    ]
    assert '"web:7"' in answer.stdout
    assert here("apply", "two.yaml", "--all-or-nothing", "--detach").returncode == 2
    assert here("apply", "two.yaml", "--plan", "p.json").returncode == 2
    assert here("apply", "--plan", "p.json").stderr == "kubemin: cannot read p.json: no such file or directory\n"
    (tmp_path / "p.json").write_text("{}")
    assert here("apply", "--plan", "p.json").stderr == "kubemin: p.json is not a plan that kubemin plan --out wrote\n"
