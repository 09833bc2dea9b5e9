"""Large bodies: the work is bounded, and is done beside the loop, which renews leases."""

import asyncio
import threading
from dataclasses import replace
from typing import Any

import httpx
import pytest

from kubemin.api.body import parse_json
from kubemin.api.codes import ApiCode
from kubemin.api.deps import Deps
from kubemin.api.envelope import ApiError
from kubemin.engine.entry.compute_thread import ComputeThread
from kubemin.engine.errors import Busy
from kubemin.render import render
from kubemin.spec import issues
from kubemin.spec.application import parse_application
from kubemin.spec.issues import MAX_ISSUES, SpecError
from kubemin.spec.reading import MAX_VALUES
from tests.api.conftest import PREFIX, Api, application
from tests.api.guarded import Caller, guarded_by

MANY = MAX_VALUES - 1000


def web(**properties: Any) -> dict[str, Any]:
    return {"name": "web", "type": "webservice", "image": "web:1", "properties": properties}


WRONG = {
    "labels": application(component=[web(labels={f"!{n}": "!" for n in range(MANY)})]),
    "labels of numbers": application(component=[web(labels={f"a{n}": n for n in range(MANY)})]),
    "unknown fields": application(**{f"x{n}": 1 for n in range(MANY)}),
    "ports without number": application(component=[web(ports=[{}] * MANY)]),
    "keys of a configuration": application(
        component=[{"name": "c", "type": "config", "properties": {"conf": {f"!{n}": "" for n in range(MANY)}}}]
    ),
    "labels of many components": application(
        component=[{**web(labels={f"!{n}": "!" for n in range(90)}), "name": f"w{k}"} for k in range(500)]
    ),
    "steps": application(workflow=[{"name": f"s{n}", "components": ["none"] * 90} for n in range(500)]),
}


@pytest.mark.parametrize("what", WRONG)
def test_nobody_looks_for_more_mistakes_than_are_reported(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0
    begin = issues.Issue.__init__

    def counted(self: issues.Issue, *args: Any, **more: Any) -> None:
        nonlocal made
        made += 1
        begin(self, *args, **more)

    monkeypatch.setattr(issues.Issue, "__init__", counted)
    with pytest.raises(SpecError, match=f"and at least {MAX_ISSUES - 1} more") as caught:
        parse_application(WRONG[what])
    assert len(caught.value.issues) == MAX_ISSUES
    assert made <= 2 * MAX_ISSUES


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"0," * MAX_VALUES + b"0]",
        b"[" + b"[]," * MAX_VALUES + b"{}]",
        b"{" + b",".join(b'"%d":0' % n for n in range(MAX_VALUES + 1)) + b"}",
        b'{"a":' + b"[" * 100_000,
        b'{"a":' + b"1" * 1_000_000 + b"}",
        b"[" + b'{"a":0},' * MAX_VALUES + b"0]",
        b"[" + b'{"a":0,"a":1},' * 1000 + b"0]",
    ],
    ids=["numbers", "lists", "keys", "depth", "digits", "objects", "duplicates"],
)
def test_bulk_is_refused_by_the_parser(body: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        parse_json(body)
    assert caught.value.status == 400
    assert len(caught.value.message) < 500


async def test_the_loop_goes_on_while_a_body_is_checked(api: Api, deps: Deps, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check waits for the loop to have had a turn: on the loop, it would wait in vain."""
    turned, already_requested = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(*args: Any) -> Any:
        loop.call_soon_threadsafe(already_requested.set)
        assert turned.wait(20), "the loop had no turn"
        return parse_application(*args)

    monkeypatch.setattr("kubemin.api.cloning.parse_application", slow)
    env = {f"A{n}": "1" for n in range(3000)}
    asked = asyncio.create_task(api.post("/applications/try", application(component=[web(env=env)])))
    await already_requested.wait()
    async with deps.db.begin("renewal", urgent=True):
        pass  # no transaction is held by the check either
    turned.set()
    assert (await asked)["valid"]


async def test_a_large_body_is_parsed_beside_the_loop(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []

    def noted(body: bytes) -> Any:
        threads.append(threading.current_thread())
        return parse_json(body)

    monkeypatch.setattr("kubemin.api.body.parse_json", noted)
    await api.post("/applications/try", application(description="d" * 100_000))
    await api.post("/applications/try", application())
    assert [thread is threading.main_thread() for thread in threads] == [False, True]


async def test_a_large_application_that_is_sent_is_planned_beside_the_loop(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    def noted(*args: Any) -> Any:
        threads.append(threading.current_thread())
        return render(*args)

    monkeypatch.setattr("kubemin.engine.entry.prepare.render", noted)
    for name, count in (("large", 3000), ("small", 3)):
        env = {f"A{n}": "1" for n in range(count)}
        await api.post("/apply", {"application": application(name=name, component=[web(env=env)])})
    assert [thread is threading.main_thread() for thread in threads] == [False, True]


async def test_saving_waits_for_no_check_inside_its_transaction(
    api: Api, deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who saves the same application meanwhile is not lost: what was checked against is looked at again."""
    made = await api.create()
    checks = 0
    loop = asyncio.get_running_loop()

    def meddled(*args: Any) -> Any:
        nonlocal checks
        checks += 1
        if checks == 1:
            other = api.post("/applications", {"id": made["id"], "name": "shop", "description": "another's"})
            asyncio.run_coroutine_threadsafe(other, loop).result(20)
        return parse_application(*args)

    monkeypatch.setattr("kubemin.api.cloning.parse_application", meddled)
    env = {f"A{n}": "1" for n in range(3000)}
    mine = {"id": made["id"], "name": "shop", "component": [web(env=env)]}
    saved = await api.post("/applications", mine)
    assert saved["description"] == "another's"
    assert checks == 3


async def test_so_many_wait_and_no_more() -> None:
    compute_thread, go = ComputeThread(most=2), threading.Event()
    waiting = [asyncio.create_task(compute_thread.do(go.wait)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await compute_thread.do(dict)
    waiting[0].cancel()  # who goes away leaves the work behind, which still counts
    await asyncio.wait(waiting[:1])
    with pytest.raises(Busy):
        await compute_thread.do(dict)
    go.set()
    await waiting[1]
    await asyncio.sleep(0)
    assert await compute_thread.do(lambda: 7) == 7


async def test_no_caller_takes_the_places_of_all(deps: Deps, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more of a caller is told to come back; everybody else is answered. What is done is free again."""
    go = threading.Event()

    def slow(body: bytes) -> Any:
        go.wait()
        return parse_json(body)

    monkeypatch.setattr("kubemin.api.body.parse_json", slow)
    large = application(namespace="shop", component=[web(env={f"A{n}": "1" for n in range(3000)})])
    async with guarded_by(replace(deps, compute_thread=ComputeThread(most=5, most_each=2))) as guarded:
        eve, ada = await guarded.by("eve"), await guarded.by("ada")

        def check(caller: Caller) -> asyncio.Task[httpx.Response]:
            headers = {"Authorization": f"Bearer {caller.token}"}
            asking = guarded.http.post(f"{PREFIX}/applications/try", json=large, headers=headers)
            return asyncio.create_task(asking)

        hers = [check(eve) for _ in range(4)]
        try:
            for _ in range(2):
                done, left = await asyncio.wait(hers, return_when=asyncio.FIRST_COMPLETED)
                hers = list(left)
                for refused in (one.result() for one in done):
                    assert refused.status_code == 429
                    assert refused.json()["code"] == ApiCode.TOO_MANY
                    assert int(refused.headers["Retry-After"]) > 0
                if len(hers) == 2:
                    break
            others = [check(ada), check(ada)]
            assert (await eve.get("/whoami"))["name"] == "eve", "what is small is answered"
        finally:
            go.set()
        answers = await asyncio.gather(*hers, *others)
        assert [one.status_code for one in answers] == [200] * 4
        assert (await check(eve)).status_code == 200
