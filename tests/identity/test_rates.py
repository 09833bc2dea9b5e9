"""Token buckets, by a clock that is moved."""

from hypothesis import given
from hypothesis import strategies as st

from kubemin.identity.rates import Buckets


@given(st.floats(0.1, 10), st.integers(1, 20), st.lists(st.floats(0, 5), max_size=60))
def test_no_more_pass_than_the_rate_and_the_burst_allow(rate: float, burst: int, waits: list[float]) -> None:
    now, passed = 0.0, 0
    buckets = Buckets(rate, burst, lambda: now)
    for wait in waits:
        now += wait
        seconds = buckets.take("ada")
        passed += seconds == 0
        assert passed <= burst + now * rate + 1e-6
        assert seconds >= 0


def test_after_the_time_that_is_told_the_next_one_passes() -> None:
    now = 0.0
    buckets = Buckets(0.5, 2, lambda: now)
    assert [buckets.take("ada") for _ in range(3)] == [0, 0, 2]
    assert buckets.take("bea") == 0
    now += 2
    assert buckets.take("ada") == 0
