"""What is said of a rollback that is done: no more than is true."""

from hypothesis import given
from hypothesis import strategies as st

from kubemin.cli.cleanup_text import as_it_was

COUNTS = st.fixed_dictionaries({name: st.integers(0, 9) for name in ("deleted", "restored", "unchanged", "kept")})
REASONS = st.lists(st.sampled_from(["it grew", "somebody deleted it"]), max_size=3)


@given(COUNTS, REASONS)
def test_as_it_was_without_an_except_only_where_there_is_no_exception(counts: dict[str, int], why: list[str]) -> None:
    listed = [{"kind": "Secret", "namespace": "shop", "name": f"n{i}", "why": said} for i, said in enumerate(why)]
    text = as_it_was({**counts, "exceptions": listed})
    assert ("except" in text) is bool(listed)
    for index, said in enumerate(why):
        assert f"Secret/shop/n{index}: {said}" in text
    for name, number in counts.items():
        assert (f"{number} {name}" in text) is bool(number)
