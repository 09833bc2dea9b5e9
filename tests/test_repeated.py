"""What fails again and again is said at once, once a minute, and when it is over."""

import structlog
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from kubemin.repeated import EVERY_SECONDS, Repeated


@given(st.lists(st.tuples(st.floats(0, 2 * EVERY_SECONDS), st.booleans()), max_size=30))
def test_no_minute_has_more_than_one_line_of_a_failure_that_goes_on(tries: list[tuple[float, bool]]) -> None:
    now = 1000.0
    said_at: float | None = None
    times = 0
    with capture_logs() as logs:
        one = Repeated(structlog.get_logger(), "cannot", clock=lambda: now, of="us")
        for pause, fails in tries:
            now += pause
            before = len(logs)
            if fails:
                one.failed("away")
                times += 1
                if said_at is None or now - said_at >= EVERY_SECONDS:
                    said_at = now
                    assert logs[-1]["event"] == "cannot"
                    assert logs[-1].get("times", 1) == times
                    before += 1
            else:
                one.succeeded()
                if times:
                    assert (logs[-1]["event"], logs[-1]["times"]) == ("works again", times)
                    before += 1
                times, said_at = 0, None
            assert len(logs) == before
            assert all(line["of"] == "us" for line in logs)
