"""What grants allow. Rules over all grants, small names so that they meet."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from kubemin.identity.grants import Grant, GrantBody, Role, Target
from kubemin.identity.principal import SYSTEM, Principal
from kubemin.spec.scope import EVERYTHING, Scope

NAMES = st.sampled_from(["a", "b", ""])
KNOWN = st.none() | st.frozensets(NAMES, min_size=1)
SCOPES = st.builds(Scope, KNOWN, KNOWN, KNOWN, KNOWN)
GRANTS = st.builds(Grant, st.sampled_from(Role), SCOPES)
TARGETS = st.builds(Target, NAMES, NAMES, NAMES, NAMES)
PRINCIPALS = st.builds(lambda grants: Principal("ada", "token", tuple(grants)), st.lists(GRANTS, max_size=3))


@given(PRINCIPALS, TARGETS)
def test_a_higher_role_may_what_a_lower_one_may(one: Principal, target: Target) -> None:
    may = [one.allows(role, target) for role in Role]
    assert may == sorted(may, reverse=True)
    assert one.best(target) == (None if not any(may) else list(Role)[sum(may) - 1])


@given(PRINCIPALS, TARGETS, st.sampled_from(Role))
def test_what_is_seen_is_what_is_allowed(one: Principal, target: Target, role: Role) -> None:
    sight = one.sight(role)
    assert one.allows(role, target) == (sight is None or any(scope.has(*target) for scope in sight))
    assert one.allows_all(role) == (sight is None)


@given(PRINCIPALS, st.sampled_from(Role))
def test_who_may_everything_may_each_thing(one: Principal, role: Role) -> None:
    if one.allows_all(role):
        assert all(one.allows(role, Target(*names)) for names in product("ab", repeat=4))
    assert Principal("x", "token", ()).sight(role) == ()


@given(PRINCIPALS, st.sampled_from(Role), TARGETS)
def test_who_may_everything_of_a_cluster_may_each_thing_there_and_nothing_by_that_elsewhere(
    one: Principal, role: Role, target: Target
) -> None:
    if one.allows_all_of(role, target.cluster):
        assert one.allows(role, target)
    assert one.allows_all_of(role, "elsewhere") == any(
        grant.role.covers(role) and grant.scope.is_all for grant in one.grants
    )


@given(SCOPES, TARGETS)
def test_a_scope_that_has_something_has_some_of_its_cluster(scope: Scope, target: Target) -> None:
    if scope.has(*target):
        assert scope.has_some_of(target.cluster)
    if scope.has_all_of(target.cluster):
        assert scope.has(*target)
    if scope.clusters is not None and target.cluster not in scope.clusters:
        assert not scope.has_some_of(target.cluster)


@given(GRANTS, st.lists(GRANTS, max_size=3), TARGETS)
def test_a_grant_within_others_allows_nothing_more(one: Grant, others: list[Grant], target: Target) -> None:
    mine, theirs = Principal("a", "token", (one,)), Principal("b", "token", tuple(others))
    if one.within(others):
        assert all(theirs.allows(role, target) for role in Role if mine.allows(role, target))


@given(GRANTS)
def test_a_grant_comes_back_as_it_was_stored(one: Grant) -> None:
    assert Grant.of(one.to_json()) == one
    if all(known is None or "" not in known for known in one.scope):
        assert GrantBody.model_validate(one.to_json()).grant == one


def test_the_system_may_everything() -> None:
    assert SYSTEM.allows_all(Role.ADMIN)
    assert EVERYTHING.is_all
