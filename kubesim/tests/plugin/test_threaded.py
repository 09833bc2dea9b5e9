"""A cluster in a thread of its own, used from others."""

import asyncio
import http.client
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
import pytest

from kubesim import Fault, SimServer, ThreadedServer

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


def call(cluster: ThreadedServer, method: str, path: str, body: Any = None, token: str | None = None) -> int:
    """The status of an answer."""
    connection = http.client.HTTPConnection(cluster.url.removeprefix("http://"), timeout=60)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def make(cluster: ThreadedServer, name: str) -> int:
    return call(cluster, "POST", CONFIG_MAPS, {"metadata": {"name": name}})


def test_a_fault_is_armed_when_add_returns_and_gone_when_remove_does(kubesim: ThreadedServer) -> None:
    for number in range(20):
        armed = kubesim.faults.add(Fault("status", verb="create", code=429, times=None))
        assert make(kubesim, f"refused-{number}") == 429
        armed.struck()
        assert (armed.strikes, [one.id for one in kubesim.faults.armed]) == (1, [armed.id])
        armed.remove()
        assert make(kubesim, f"made-{number}") == 201


def test_threads_do_not_disturb_each_other(kubesim: ThreadedServer) -> None:
    def play(number: int) -> int:
        name = f"config-{number}"
        armed = kubesim.faults.add(Fault("drop", verb="create", name=name, when="after"))
        with pytest.raises(http.client.RemoteDisconnected):
            make(kubesim, name)
        armed.struck()
        assert make(kubesim, name) == 409
        assert armed.strikes == 1
        return armed.id

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(play, range(40)))
    assert sorted(ids) == sorted(one.id for one in kubesim.faults.armed)
    assert len(set(ids)) == 40
    kubesim.faults.clear()
    assert kubesim.faults.armed == []


def test_what_is_late_lands_when_it_is_released(kubesim: ThreadedServer) -> None:
    late = kubesim.faults.add(Fault("late", verb="create"))
    with pytest.raises(http.client.RemoteDisconnected):
        make(kubesim, "web")
    assert call(kubesim, "GET", f"{CONFIG_MAPS}/web") == 404
    assert late.release() == late.outcomes == [201]
    assert call(kubesim, "GET", f"{CONFIG_MAPS}/web") == 200


def test_a_fault_that_does_not_strike_is_not_waited_for_longer_than_asked(kubesim: ThreadedServer) -> None:
    armed = kubesim.faults.add(Fault("drop", resource="secrets"))
    with pytest.raises(TimeoutError):
        armed.struck(within=0.01)


async def test_a_test_with_an_event_loop_can_wait_and_go_on(kubesim: ThreadedServer) -> None:
    held = kubesim.faults.add(Fault("hold", verb="list", resource="configmaps"))
    async with aiohttp.ClientSession() as session:
        asked = asyncio.create_task(session.get(kubesim.url + CONFIG_MAPS))
        await asyncio.to_thread(held.struck)
        assert not asked.done()
        held.release()
        assert (await asked).status == 200


def test_watches_are_cut(kubesim: ThreadedServer) -> None:
    connection = http.client.HTTPConnection(kubesim.url.removeprefix("http://"), timeout=60)
    connection.request("GET", f"{CONFIG_MAPS}?watch=true")
    watch = connection.getresponse()
    assert watch.readline()
    assert kubesim.faults.cut_watches("secrets") == 0
    assert kubesim.faults.cut_watches("configmaps") == 1
    with pytest.raises((ConnectionError, http.client.IncompleteRead)):
        watch.read()
    connection.close()


def test_in_an_outage_nothing_listens_and_what_was_there_remains(kubesim: ThreadedServer) -> None:
    make(kubesim, "web")
    with kubesim.outage(), pytest.raises(ConnectionRefusedError):
        make(kubesim, "other")
    assert call(kubesim, "GET", f"{CONFIG_MAPS}/web") == 200


def test_roles_hold_for_accounts() -> None:
    with ThreadedServer(SimServer(speed=1000, authorize=True)) as cluster:
        cluster.settled()
        account = cluster.account_token("default", "default")
        assert account in cluster.kubeconfig(account)
        assert call(cluster, "GET", CONFIG_MAPS, token=account) == 403
        assert call(cluster, "GET", CONFIG_MAPS, token=cluster.token) == 200
        assert cluster.kubeconfig_path.read_text() == cluster.kubeconfig()


def test_nothing_is_left_of_it() -> None:
    before = threading.active_count()
    with ThreadedServer() as cluster:
        faults, path = cluster.faults, cluster.kubeconfig_path
        assert path.exists()
    assert threading.active_count() == before
    assert not path.parent.exists()
    for use in (lambda: cluster.url, lambda: cluster.faults, cluster.settled):
        with pytest.raises(RuntimeError, match="not running"):
            use()
    with pytest.raises(RuntimeError):
        faults.clear()


def test_what_goes_wrong_at_the_start_is_raised_there() -> None:
    with ThreadedServer() as cluster:
        port = int(cluster.url.rpartition(":")[2])
        before = threading.active_count()
        with pytest.raises(OSError, match="in use"):
            ThreadedServer(SimServer(port=port)).__enter__()
        assert threading.active_count() == before


def test_what_goes_wrong_in_it_is_raised_at_the_end() -> None:
    class Broken(SimServer):
        async def __aexit__(self, *error: Any) -> None:
            await super().__aexit__(*error)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), ThreadedServer(Broken()):
        pass
