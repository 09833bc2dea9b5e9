"""A stream that breaks off is resumed: no event is lost, and none comes twice."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemin.client import AsyncClient, Busy, Client, NotFound, Patience, ServerLost, Unavailable, flows
from kubemin.client.steps import Call, Give, Hear, Sleep
from tests.cli.kubemin import Running
from tests.client.applications import application
from tests.client.proxy import Proxy


def test_cut_at_every_event_of_a_real_one(server: Running, proxy: Proxy) -> None:
    """The proxy lets the first frame, which is no event, and one event through; then it cuts inside the next."""
    client = Client(server.url)
    with client.deploy(application("cut")) as run:
        whole = list(run.events())
    assert [one["id"] for one in whole] == sorted({one["id"] for one in whole})
    assert (whole[0]["type"], whole[-1]["type"]) == ("task", "end")
    proxy.events = 1
    assert list(Client(proxy.url).events(run.task_id)) == whole
    assert proxy.streams >= len(whole) - 1
    assert list(Client(proxy.url).events(run.task_id, after=whole[-1]["id"])) == []


async def test_cut_at_every_event_in_an_event_loop(server: Running, proxy: Proxy) -> None:
    with Client(server.url).deploy(application("async-cut")) as run:
        whole = list(run.events())
    proxy.events = 1
    async with AsyncClient(proxy.url) as client:
        assert [event async for event in client.events(run.task_id)] == whole
        assert (await client.wait(run.task_id)).completed


def test_a_task_that_is_not_there(server: Running) -> None:
    with pytest.raises(NotFound):
        list(Client(server.url).events("nosuchtask"))


class Server:
    """A task with so many events, the last of them its end; each fault is whether the next answer fails to come."""

    def __init__(self, events: int, faults: Sequence[bool]) -> None:
        self.last = events
        self.told = 0
        self._faults = iter(faults)
        self._streams: dict[int, Iterator[int]] = {}
        self.full = False

    def answer(self, step: Any) -> Any:
        match step:
            case Call():
                if next(self._faults, False):
                    raise ServerLost("away", sent=True)
                over = self.told == self.last
                cleanup = {"state": "none"}
                status = "completed" if over else "running"
                return {"taskId": "t", "status": status, "cleanup": cleanup, "lastEventId": self.told}
            case Hear(stream):
                return self._next(stream)
        assert isinstance(step, Sleep)
        return None

    def _next(self, stream: Any) -> dict[str, Any] | None:
        if self.full:
            raise Busy("as many streams as there may be", retry_after=5)
        if id(stream) not in self._streams:
            self._streams = {id(stream): iter(range(stream.after + 1, self.last + 1))}
        if next(self._faults, False) or (number := next(self._streams[id(stream)], None)) is None:
            return None
        self.told = max(self.told, number)
        return {"id": number, "type": "end" if number == self.last else "job"}


def followed(flow: Any, server: Server) -> list[Any]:
    """What a flow gives."""
    steps = iter(flow)
    gives: list[Any] = []
    came: Any = None
    raised: Exception | None = None
    while True:
        try:
            step = steps.send(came) if raised is None else steps.throw(raised)
        except StopIteration:
            return gives
        came, raised = None, None
        if isinstance(step, Give):
            gives.append(step.news)
            continue
        try:
            came = server.answer(step)
        except Unavailable as error:
            raised = error


@given(st.integers(1, 6), st.lists(st.booleans()))
def test_wherever_it_breaks_off(count: int, faults: Sequence[bool]) -> None:
    server = Server(count, faults)
    news = followed(flows.watch("t", 0, complete=True, patience=Patience()), server)
    assert [event["id"] for _, event in news if event] == list(range(1, count + 1))
    assert news[0][0]
    assert news[-1][0]["status"] == "completed"


@given(st.integers(1, 6), st.booleans(), st.lists(st.booleans()))
def test_a_server_without_a_free_stream_keeps_nobody_waiting(
    count: int, only_end: bool, faults: Sequence[bool]
) -> None:
    """Who waits for the end learns of it all the same."""
    server = Server(count, faults)
    server.full, server.told = True, count
    news = followed(flows.watch("t", None if only_end else 0, complete=False, patience=Patience()), server)
    assert [event for _, event in news if event] == []
    assert len(news) == (1 if only_end else 2)


@given(st.lists(st.booleans(), min_size=1))
def test_a_server_that_is_away_is_told_once_each_time(answers: Sequence[bool]) -> None:
    told: list[str] = []

    class Telling(Patience):
        def lost(self, error: Unavailable) -> None:
            told.append("lost")

        def back(self) -> None:
            told.append("back")

    patience = Telling()
    for answer in answers:
        if answer:
            patience.answered()
        else:
            patience.failed(ServerLost("away", sent=False))
    assert told[:1] in ([], ["lost"])
    assert all(one != other for one, other in pairwise(told))
    assert (told[-1:] == ["lost"]) == (not answers[-1])


def test_patience_has_an_end() -> None:
    patience, error = Patience(-1), ServerLost("away", sent=False)
    patience.failed(error)
    with pytest.raises(ServerLost) as caught:
        patience.failed(error)
    assert caught.value is error
