"""Who is acted as: nothing that a cluster, or HTTP, would take for somebody else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.spec.acting import Asker, CannotActAs, Identity, Naming

NAMES = st.text(max_size=30)


@given(
    name=NAMES, groups=st.lists(NAMES, max_size=5), prefix=st.sampled_from(["", "oidc:", "system:", "a b", " ", "\n"])
)
def test_what_is_acted_as_arrives_as_it_is_said(name: str, groups: list[str], prefix: str) -> None:
    """As a value of a header: not empty, without blanks around it, on one line; never one of the cluster's own."""
    try:
        found = Naming(prefix, prefix).identity(Asker(name, tuple(groups)))
    except CannotActAs:
        return
    assert found.user == prefix + name
    assert list(found.groups) == [prefix + one for one in dict.fromkeys(groups)]
    for one in (found.user, *found.groups):
        assert one == one.strip() != ""
        assert one.isprintable()
        assert not one.startswith("system:")
    assert Identity.read(found.to_json()) == found


INJECTED = "ada\r\nImpersonate-Group: system:masters"
CONTROLS = ("a\x00", "a\x7f", "a\u202eb", "a\u2028b", "a\udc80")


@pytest.mark.parametrize("name", ["", " ada", "ada ", "ada\n", INJECTED, *CONTROLS, "a" * 1025])
def test_what_is_no_value_of_a_header_is_nobody(name: str) -> None:
    with pytest.raises(CannotActAs, match="cannot be the name of a user"):
        Naming().identity(Asker(name))
    with pytest.raises(CannotActAs, match="cannot be the name of a group"):
        Naming().identity(Asker("ada", (name,)))


def test_names_that_no_header_line_forbids_are_names() -> None:
    asker = Asker("José 李", ("équipe shop", "cn=dev,ou=shop"))
    assert Naming("idp#", "idp/").identity(asker) == Identity("idp#José 李", ("idp/équipe shop", "idp/cn=dev,ou=shop"))


def test_a_prefix_does_not_make_somebody_of_nobody() -> None:
    with pytest.raises(CannotActAs):
        Naming("oidc:").identity(Asker(""))


def test_the_clusters_own_users_and_groups_have_to_be_named() -> None:
    robot, nodes = "system:serviceaccount:ci:robot", "system:nodes"
    for asker in (Asker(robot), Asker("system:admin"), Asker("ada", (nodes,))):
        with pytest.raises(CannotActAs, match="KUBEMIN_IMPERSONATION_SYSTEM_NAMES does not name it"):
            Naming().identity(asker)
    named = Naming(system_names=f"system:serviceaccount:ci:*, {nodes}")
    assert named.identity(Asker(robot, (nodes,))) == Identity(robot, (nodes,))
    with pytest.raises(CannotActAs):
        named.identity(Asker("system:serviceaccount:kube-system:robot"))
    assert Naming("oidc:", "oidc:").identity(Asker(robot, (nodes,))).user == f"oidc:{robot}"


def test_nobody_is_ever_one_of_the_masters() -> None:
    naming = Naming(system_names="system:*")
    with pytest.raises(CannotActAs):
        naming.identity(Asker("ada", ("system:masters",)))
    with pytest.raises(CannotActAs):  # a prefix and a name may make it together
        Naming(group_prefix="system:", system_names="*").identity(Asker("ada", ("masters",)))


def test_a_cluster_is_told_of_the_groups_that_a_setting_names() -> None:
    asker = Asker("ada", ("shop-dev", "everybody", "shop-dev", "system:masters", "shop-ops"))
    assert Naming(groups="shop-*").identity(asker).groups == ("shop-dev", "shop-ops")
    assert Naming(groups="").identity(asker).groups == ()


def test_too_many_groups_are_refused_by_name_of_the_setting() -> None:
    with pytest.raises(CannotActAs, match=r"400 groups.*KUBEMIN_IMPERSONATION_GROUPS"):
        Naming().identity(Asker("ada", tuple(f"{number:0100}" for number in range(400))))
