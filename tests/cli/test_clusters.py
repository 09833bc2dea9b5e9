"""The clusters that settings name, and applications by cluster on the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from kubemin.cli.exits import CliError
from kubemin.cli.files import read_specs
from kubemin.cli.settings import refuse_open_address, settings_of
from kubemin.spec.acting import Naming

EDGE: dict[str, Any] = {"kubeconfig": "/etc/edge", "context": "admin"}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"edge": EDGE}),
        "edge: {kubeconfig: /etc/edge, context: admin}",
        "- {name: edge, kubeconfig: /etc/edge, context: admin}",
    ],
)
@pytest.mark.parametrize("in_file", [False, True])
def test_clusters_are_text_or_a_file(text: str, in_file: bool, tmp_path: Path) -> None:
    if in_file:
        (tmp_path / "clusters.yaml").write_text(text)
        text = str(tmp_path / "clusters.yaml")
    settings = settings_of(clusters=text)
    assert {name: one.model_dump(exclude_defaults=True) for name, one in settings.known_clusters.items()} == {
        "edge": EDGE
    }
    again = type(settings)(**settings.model_dump(mode="json", exclude_unset=True))  # as a server's workers get them
    assert again.known_clusters == settings.known_clusters


def test_which_clusters_are_known_and_served() -> None:
    assert list(settings_of().known_clusters) == ["default"]
    named = settings_of(clusters="{edge: {simulate: true}, prod: {inCluster: true}}")
    assert list(named.known_clusters) == ["edge", "prod"]
    both = settings_of(clusters="{edge: {simulate: true}}", simulate=True, serves="edge")
    assert list(both.known_clusters) == ["default", "edge"]
    assert list(both.served_clusters) == ["edge"]


def test_how_callers_are_called_is_a_clusters_own_or_that_of_all() -> None:
    assert settings_of().namings == {}
    clusters = "{a: {}, b: {impersonation: caller, userPrefix: '', groupPrefix: 'b:'}, c: {impersonation: off}}"
    settings = settings_of(clusters=clusters, impersonation_user_prefix="all:", impersonation_groups="dev-*")
    assert settings.namings == {"b": Naming("", "b:", "dev-*")}
    settings = settings.model_copy(update={"impersonation": "caller"})
    assert settings.namings == {"a": Naming("all:", "", "dev-*"), "b": Naming("", "b:", "dev-*")}


def test_nobody_is_acted_as_where_nobody_says_who_they_are() -> None:
    for given, names in (({"impersonation": "caller"}, "default"), ({"clusters": "{e: {impersonation: caller}}"}, "e")):
        with pytest.raises(CliError, match=rf"KUBEMIN_IMPERSONATION=caller \(cluster {names}\) needs authentication"):
            refuse_open_address(settings_of(**given))
        refuse_open_address(settings_of(**given, auth="token"))
    refuse_open_address(settings_of())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"clusters": "{Edge: {}}"}, "'Edge' cannot name a cluster"),
        ({"clusters": "{edge: {kubeconfg: x}}"}, "edge.kubeconfg"),
        ({"clusters": "{edge: {kubeconfig: x, inCluster: true}}"}, "kubeconfig and inCluster exclude each other"),
        ({"clusters": "[{name: edge}, {name: edge}]"}, "edge is there more than once"),
        ({"clusters": "[edge]"}, "a mapping of names to clusters is expected"),
        ({"clusters": "{edge"}, "no YAML"),
        ({"clusters": "/nowhere/clusters.yaml"}, "the file cannot be read"),
        ({"clusters": "{default: {}}", "simulate": True}, "clusters names the cluster default"),
        ({"clusters": "{edge: {}}", "serves": "prod"}, "serves names prod, and the clusters are edge"),
        ({"clusters": "{edge: {impersonation: everybody}}"}, "edge.impersonation"),
        ({"impersonation": "everybody"}, "KUBEMIN_IMPERSONATION"),
        ({"impersonation_system_names": "system:nodes, system:masters"}, "system:masters, to which nothing is refused"),
    ],
)
def test_what_is_wrong_is_said(given: dict[str, Any], said: str) -> None:
    with pytest.raises(CliError) as caught:
        settings_of(**given)
    assert said in caught.value.message


def test_the_cluster_of_files_that_name_none(tmp_path: Path) -> None:
    file = tmp_path / "apps.yaml"
    file.write_text("name: shop\ncomponent: []\n")
    [spec] = read_specs([str(file)], cluster="edge")
    assert (spec.data["cluster"], spec.name) == ("edge", "edge/default/shop")
    file.write_text("name: shop\ncluster: prod\ncomponent: []\n---\nname: shop\ncomponent: []\n")
    assert [one.name for one in read_specs([str(file)])] == ["prod/default/shop", "default/shop"]
    with pytest.raises(CliError) as caught:
        read_specs([str(file)], cluster="edge")
    assert "names the cluster prod, and --cluster edge" in caught.value.message
