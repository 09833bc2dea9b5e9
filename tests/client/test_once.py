"""What has an Idempotency-Key and may have been begun is asked for again; what was not is an error at once."""

from typing import Any

import pytest

from kubemin.client import Busy, ServerLost, Unavailable
from kubemin.client.calls import applications, runs
from kubemin.client.flows import started
from kubemin.client.patience import Patience
from kubemin.client.steps import Call, Sleep

UNKNOWN: Any = [{"field": "body", "code": "COMMIT_UNKNOWN", "message": "?"}]
CALLS = [
    runs.applying({}, None, "key", {}),
    runs.executing("shop", None, "key", {}),
    runs.rolling_back("shop", None, "key", {}),
    runs.restarting("shop", [], "key"),
    applications.deleting("shop", None, None, "key"),
    applications.deleting_resources("shop", None, "key"),
    applications.making_version("shop", {}, "key"),
]
each = pytest.mark.parametrize("call", CALLS, ids=lambda one: one.path.rpartition("/")[2])


@each
@pytest.mark.parametrize("error", [ServerLost("lost", sent=True), Busy("unknown", fields=UNKNOWN)])
def test_an_answer_that_is_lost_is_asked_for_again(call: Call[Any], error: Unavailable) -> None:
    steps = started(call, Patience())
    assert next(steps) is call
    assert isinstance(steps.throw(error), Sleep)
    assert steps.send(None) is call
    assert isinstance(steps.throw(Busy("not yet")), Sleep)
    assert steps.send(None) is call
    assert call.sent_headers()["Idempotency-Key"] == "key"
    with pytest.raises(StopIteration) as done:
        steps.send({"taskId": "t"})
    assert done.value.value == {"taskId": "t"}


@each
@pytest.mark.parametrize("error", [ServerLost("nobody", sent=False), Busy("nothing was stored")])
def test_what_was_not_done_is_an_error_at_once(call: Call[Any], error: Unavailable) -> None:
    steps = started(call, Patience())
    next(steps)
    with pytest.raises(type(error)) as raised:
        steps.throw(error)
    assert raised.value is error
