"""A request belongs to its caller's trace: that which is given, else that of the running OpenTelemetry context."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from kubemin.client import AsyncClient, Client
from kubemin.client.tracing import is_traceparent
from tests.cli.kubemin import InProcess
from tests.client.applications import application
from tests.client.proxy import Proxy

GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SPAN = SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
OF_SPAN = f"00-{SPAN.trace_id:032x}-{SPAN.span_id:016x}-01"
WRONG = ["", "00", GIVEN.upper(), f"ff{GIVEN[2:]}", f"{GIVEN}-1", f"00-{'0' * 32}-{'1' * 16}-01", f"{GIVEN}\r\nX-A: b"]


def sent(proxy: Proxy) -> set[str | None]:
    """What the requests have had; there were some."""
    assert proxy.heard
    return {one.get("traceparent") for one in proxy.heard}


def test_each_request_of_a_client_has_what_is_given(proxy: Proxy) -> None:
    with Client(proxy.url, traceparent=GIVEN).deploy(application("traced")) as run:
        assert list(run.events())
    assert proxy.streams
    Client(proxy.url, traceparent=GIVEN).asking(5).tasks()
    assert sent(proxy) == {GIVEN}


async def test_so_in_an_event_loop(proxy: Proxy) -> None:
    async with AsyncClient(proxy.url, traceparent=GIVEN) as client:
        with use_span(NonRecordingSpan(SPAN)):  # what is given counts
            async with client.deploy(application("traced-in-loop")):
                pass
    assert proxy.streams
    assert sent(proxy) == {GIVEN}


@pytest.mark.parametrize("in_use", [True, False])
async def test_the_running_context_is_handed_on_where_there_is_one(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, *, in_use: bool
) -> None:
    if not in_use:
        monkeypatch.delitem(sys.modules, "opentelemetry.trace")
    with use_span(NonRecordingSpan(SPAN)):
        Client(proxy.url).tasks()
        async with AsyncClient(proxy.url) as client:
            await client.tasks()
    assert sent(proxy) == {OF_SPAN if in_use else None}
    Client(proxy.url).tasks()
    assert proxy.heard[-1].get("traceparent") is None


@pytest.mark.parametrize("client", [Client, AsyncClient])
@pytest.mark.parametrize("wrong", WRONG)
def test_what_names_no_span_is_refused(client: Any, wrong: str) -> None:
    with pytest.raises(ValueError, match="is no traceparent, such as 00-1"):
        client("http://127.0.0.1:9", traceparent=wrong)


@given(st.from_regex(re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"), fullmatch=True) | st.text())
def test_what_is_sent_is_understood(text: str) -> None:
    """By OpenTelemetry, which a server reads it with."""
    read = trace.get_current_span(TraceContextTextMapPropagator().extract({"traceparent": text})).get_span_context()
    if is_traceparent(text):
        assert read.is_valid
        assert f"{read.trace_id:032x}-{read.span_id:016x}" == text[3:52]


@pytest.mark.parametrize(("given", "expected"), [(GIVEN, GIVEN), (None, None), *((one, None) for one in WRONG)])
def test_a_command_belongs_to_the_trace_that_it_is_run_for(
    proxy: Proxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    given: str | None,
    expected: str | None,
) -> None:
    monkeypatch.delenv("TRACEPARENT", raising=False)
    if given is not None:
        monkeypatch.setenv("TRACEPARENT", given)
    assert InProcess(tmp_path, monkeypatch, capsys, proxy.url)("tasks", "--status", "failed").returncode == 0
    assert sent(proxy) == {expected}
