"""The table of kinds: what holds for every row, and that no fact is missing where somebody relies on it."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubemin.spec.kind import Kind
from kubemin.spec.kinds import KINDS, LAST, OWN, WRITTEN, kind_name, kind_of
from kubemin.spec.objects import ObjectRef

RIGHTS = Path(__file__).parents[2] / "deploy" / "rbac.yaml"
ROWS = pytest.mark.parametrize("row", KINDS.values(), ids=list(KINDS))


@ROWS
def test_a_manifest_of_the_kind_has_its_short_name(row: Kind) -> None:
    assert kind_name({"apiVersion": row.api_version, "kind": row.name}) == row.name


@given(st.sampled_from(sorted(KINDS)), st.from_regex(r"[a-z]{1,10}\.example", fullmatch=True))
def test_the_same_kind_of_another_group_is_another(name: str, group: str) -> None:
    manifest = {"apiVersion": f"{group}/v1", "kind": name, "metadata": {"name": "x"}}
    assert ObjectRef.of(manifest).kind == f"{name}.{group}"
    assert ObjectRef.of(manifest).api_version == f"{group}/v1"
    assert not kind_of(f"{name}.{group}").plural, "only the server knows how it is served"


def test_what_reads_is_written_after_what_it_reads() -> None:
    """A rollback puts back in this order (design R4): a workload is never put back before its configuration."""
    workloads = [WRITTEN[kind.name].priority for kind in KINDS.values() if kind.controller and kind.written]
    assert WRITTEN["CustomResourceDefinition"].priority < min(workloads) <= max(workloads) < LAST
    read = ("ConfigMap", "Secret", "PersistentVolumeClaim", "ServiceAccount", "RoleBinding")
    assert max(WRITTEN[kind].priority for kind in read) < min(workloads)
    assert WRITTEN["Role"].priority < WRITTEN["RoleBinding"].priority
    assert WRITTEN["ClusterRole"].priority < WRITTEN["ClusterRoleBinding"].priority


def test_each_written_kind_has_a_place_of_its_own_when_orphans_are_deleted() -> None:
    assert sorted(written.deleted for written in WRITTEN.values()) == list(range(len(WRITTEN)))
    assert WRITTEN["Namespace"].deleted == max(WRITTEN[kind].deleted for kind in OWN)


@ROWS
def test_the_kinds_that_a_row_names_have_rows(row: Kind) -> None:
    named = {*row.controller.told_by, *row.controller.leaves, row.controller.history} if row.controller else set()
    assert named - {None} <= set(KINDS)


def test_the_advice_can_be_filled_in() -> None:
    for written in WRITTEN.values():
        written.advice.format(name="web", namespace="shop")


def test_the_shipped_rights_cover_each_written_kind() -> None:
    granted = {
        (group, resource)
        for document in yaml.safe_load_all(RIGHTS.read_text())
        for rule in document.get("rules") or ()
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    missing = {name for name in OWN if (KINDS[name].group, KINDS[name].plural) not in granted}
    assert missing <= {"ClusterRole", "ClusterRoleBinding"}, "only what is off by default may lack rights"
