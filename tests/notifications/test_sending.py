"""One send, to targets that behave in every way: what is said of it has nothing of the other side, nor the address."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubemin.notifications.message import message
from kubemin.notifications.sending import Sender
from tests.notifications.receiver import Receiver, answers, receiving
from tests.notifications.rows import PUBLIC, target
from tests.notifications.test_messages import event

HUSH = "hush-hush"
TLS = Path(__file__).parent.parent / "cluster" / "tls"


async def said(receiver: Receiver, seconds: float = 60, **more: Any) -> str:
    """Why it was not delivered."""
    answer = await Sender(PUBLIC, seconds).send(target(f"{receiver.url}/{HUSH}?token={HUSH}", **more), event())
    assert HUSH not in answer.error
    return answer.error


async def test_what_is_sent(receiver: Receiver) -> None:
    answer = await Sender(PUBLIC, clock=lambda: 1_700_000_000.9).send(target(receiver.url), event())
    assert (answer.status, answer.error) == (200, "")
    (got,) = receiver.got
    assert got.json == message(event(), PUBLIC)
    assert got.headers["content-type"] == "application/json"
    assert got.headers["webhook-id"] == event().id
    assert got.headers["webhook-timestamp"] == "1700000000"
    assert got.headers["webhook-signature"].startswith("v1,")


HUGE = b"HTTP/1.1 200 OK\r\nx-filler: " + b"x" * 1_000_000 + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (answers("500 Oh no", body=HUSH), "it answered 500"),
        (answers(f"404 {HUSH}"), "it answered 404"),
        (answers("301 Moved", f"location: http://127.0.0.1:1/{HUSH}"), "it answered 301: redirects are not followed"),
        (answers("307 Moved", "location: /elsewhere"), "it answered 307: redirects are not followed"),
        (f"no {HUSH} HTTP at all\r\n\r\n".encode(), "it cannot be reached: the answer is not complete HTTP"),
        (b"", "it cannot be reached: the answer is not complete HTTP"),
        (HUGE, "it cannot be reached: the answer is not complete HTTP"),
    ],
)
async def test_what_it_answers(receiver: Receiver, answer: bytes, error: str) -> None:
    receiver.answer = answer
    assert await said(receiver) == error
    assert len(receiver.got) == 1


async def test_a_huge_reply_is_not_read(receiver: Receiver) -> None:
    receiver.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n" + b"x" * 5_000_000
    assert await said(receiver) == ""


async def test_one_that_hangs_is_given_up(receiver: Receiver) -> None:
    receiver.answer = None
    assert await said(receiver, seconds=0.05) == "it did not answer within 0.05 s"


async def test_one_that_is_down() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        answer = await Sender().send(target(f"http://127.0.0.1:{nobody.getsockname()[1]}/"), event())
    assert answer.error == "it cannot be reached: Connection refused"


async def test_one_whose_certificate_nobody_trusts() -> None:
    secured = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secured.load_cert_chain(TLS / "server.crt", TLS / "server.key")
    async with receiving(ssl=secured) as secure:
        answer = await Sender().send(target(secure.url.replace("http:", "https:")), event())
    assert answer.error == "it cannot be reached: its certificate cannot be trusted, or TLS failed"
    assert secure.got == []


def leads_to(address: str) -> Callable[..., list[Any]]:
    def look_up(_host: str, port: int, *_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    return look_up


async def test_only_public_addresses_where_the_target_says_so(receiver: Receiver) -> None:
    url = f"http://name.example:{receiver.port}/x"
    sender = Sender(look_up=leads_to("127.0.0.1"))
    assert (await sender.send(target(url), event())).error == ""
    answer = await sender.send(target(url, publicOnly=True), event())
    assert answer.error == "it leads to an address that is not public"
    assert len(receiver.got) == 1


async def test_a_name_that_leads_nowhere() -> None:
    def no_address(*_: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    answer = await Sender(look_up=no_address).send(target("http://name.example/"), event())
    assert answer.error == "it cannot be reached: its host has no address"


async def test_the_environment_s_proxy_is_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert await said(receiver) == ""


async def test_a_status_goes_behind_the_base_address(receiver: Receiver) -> None:
    ci = target(f"http://127.0.0.1:{receiver.port}/api/v3/", template="github-status", token=HUSH)
    assert (await Sender(PUBLIC).send(ci, event("task.completed"))).error == ""
    (got,) = receiver.got
    assert got.path == f"/api/v3/repos/octo/shop/statuses/{'a' * 40}"
    assert got.headers["authorization"] == f"Bearer {HUSH}"
    assert "webhook-signature" not in got.headers


async def test_a_name_that_is_never_found_holds_up_its_own_target_alone(receiver: Receiver) -> None:
    stuck = threading.Event()

    def look_up(host: str, *rest: Any) -> list[Any]:
        if host == "stuck.example":
            stuck.wait()
        return socket.getaddrinfo("127.0.0.1", *rest)

    sender = Sender(PUBLIC, look_up=look_up)
    waits = [asyncio.create_task(sender.send(target("http://stuck.example/", "stuck"), event())) for _ in range(8)]
    try:
        await asyncio.sleep(0)
        port = receiver.url.rpartition(":")[2]
        answer = await sender.send(target(f"http://well.example:{port}/", "well"), event())
        assert answer.error == ""
    finally:
        stuck.set()
        for one in waits:
            one.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        sender.close()
