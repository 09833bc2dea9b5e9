"""kubeconfig in its variants, TLS, and credentials that expire."""

import asyncio
import base64
import contextlib
import json
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubemin.cluster import Cluster, errors, requests
from kubemin.cluster.credential_sources import KubeconfigSource
from kubemin.cluster.credentials import Access, Credentials
from kubemin.cluster.transport import Transport
from tests.waiting import PATIENCE

from .servers import RawServer, Seen, answering, response

TLS = Path(__file__).parent / "tls"
VERSION = b'{"gitVersion":"v1"}'


class Clock:
    """Time that passes only when told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def write_kubeconfig(folder: Path, url: str, user: dict[str, Any], **cluster: Any) -> str:
    path = folder / "config"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "main",
        "contexts": [
            {"name": "main", "context": {"cluster": "c", "user": "u"}},
            {"name": "other", "context": {"cluster": "c", "user": "nobody"}},
        ],
        "clusters": [{"name": "c", "cluster": {"server": url, **cluster}}],
        "users": [{"name": "u", "user": user}, {"name": "nobody", "user": {"token": "other"}}],
    }
    path.write_text(yaml.safe_dump(config))
    return str(path)


@contextlib.asynccontextmanager
async def connected(path: str, context: str | None = None) -> AsyncIterator[Cluster]:
    cluster = await Cluster.connect(kubeconfig=path, context=context, timeout=PATIENCE)
    try:
        yield cluster
    finally:
        await cluster.aclose()


@contextlib.asynccontextmanager
async def timed(path: str, clock: Clock) -> AsyncIterator[Cluster]:
    credentials = await Credentials.load(KubeconfigSource(path, None), clock=clock)
    cluster = Cluster(Transport(credentials, timeout=PATIENCE), timeout=PATIENCE, hook=None)
    try:
        yield cluster
    finally:
        await cluster.aclose()


def plugin(folder: Path, expiry: str | None = None) -> dict[str, Any]:
    """An exec plugin that gives token-1, token-2, … one a run."""
    script = folder / "plugin.py"
    script.write_text(
        "import json, pathlib\n"
        f"count = pathlib.Path({str(folder / 'count')!r})\n"
        "n = int(count.read_text()) + 1 if count.exists() else 1\n"
        "count.write_text(str(n))\n"
        "status = {'token': f'token-{n}'}\n"
        f"expiry = {expiry!r}\n"
        "if expiry: status['expirationTimestamp'] = expiry\n"
        "api = 'client.authentication.k8s.io/v1'\n"
        "print(json.dumps({'apiVersion': api, 'kind': 'ExecCredential', 'status': status}))\n"
    )
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": sys.executable, "args": [str(script)]}}


def tokens(server: RawServer) -> list[str]:
    return [value for request in server.seen for value in request.headers.get("authorization", [])]


async def test_the_token_of_the_named_context_is_sent(tmp_path: Path) -> None:
    async with RawServer(answering(200, VERSION)) as server:
        path = write_kubeconfig(tmp_path, server.url, {"token": "main"})
        for context in (None, "main", "other"):
            async with connected(path, context) as cluster:
                await cluster.version()
    assert tokens(server) == ["Bearer main", "Bearer main", "Bearer other"]


async def test_user_name_and_password_are_sent(tmp_path: Path) -> None:
    async with RawServer(answering(200, VERSION)) as server:
        path = write_kubeconfig(tmp_path, server.url, {"username": "u", "password": "p"})
        async with connected(path) as cluster:
            await cluster.version()
    assert tokens(server) == ["Basic dTpw"]


async def test_impersonation_is_heeded(tmp_path: Path) -> None:
    user = {"token": "t", "as": "jane", "as-uid": "7", "as-groups": ["a", "b"], "as-user-extra": {"sc/ope": ["x", "y"]}}
    async with (
        RawServer(answering(200, VERSION)) as server,
        connected(write_kubeconfig(tmp_path, server.url, user)) as cluster,
    ):
        await cluster.version()
    headers = server.seen[0].headers
    assert headers["impersonate-user"] == ["jane"]
    assert headers["impersonate-uid"] == ["7"]
    assert headers["impersonate-group"] == ["a", "b"]
    assert headers["impersonate-extra-sc%2fope"] == ["x", "y"]


async def test_a_rotated_token_file_is_read_again_within_a_minute(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("first\n")
    clock = Clock()
    async with (
        RawServer(answering(200, VERSION)) as server,
        timed(write_kubeconfig(tmp_path, server.url, {"tokenFile": "token"}), clock) as cluster,
    ):
        await cluster.version()
        (tmp_path / "token").write_text("second\n")
        await cluster.version()
        clock.now += 61
        await cluster.version()
        (tmp_path / "config").write_text("{half a fi")
        clock.now += 61
        await cluster.version()
    assert tokens(server) == ["Bearer first", "Bearer first", "Bearer second", "Bearer second"]


async def test_an_exec_plugin_is_asked_again_before_its_token_expires(tmp_path: Path) -> None:
    clock = Clock()
    async with RawServer(answering(200, VERSION)) as server:
        user = plugin(tmp_path, expiry="2999-01-01T00:00:00Z")
        async with timed(write_kubeconfig(tmp_path, server.url, user), clock) as cluster:
            await cluster.version()
            clock.now += 3600
            await cluster.version()
            clock.now += 1000 * 366 * 24 * 3600
            await cluster.version()
    assert tokens(server) == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


@pytest.mark.parametrize("verb", ["read", "write"])
async def test_a_refused_token_is_renewed_and_the_request_sent_again(tmp_path: Path, verb: str) -> None:
    async def reply(request: Seen, writer: asyncio.StreamWriter) -> None:
        good = request.headers["authorization"] == ["Bearer token-2"]
        writer.write(response(200, b'{"kind":"ConfigMap"}') if good else response(401, b"{}"))

    clock = Clock()
    async with (
        RawServer(reply) as server,
        timed(write_kubeconfig(tmp_path, server.url, plugin(tmp_path)), clock) as cluster,
    ):
        clock.now += 60
        if verb == "read":
            await cluster.version()
        else:
            await cluster.create(
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "namespace": "shop"}}
            )
    assert tokens(server) == ["Bearer token-1", "Bearer token-2"]


async def test_refused_for_good_is_unauthorized_and_does_not_run_the_plugin_at_each_call(tmp_path: Path) -> None:
    clock = Clock()
    async with (
        RawServer(answering(401, b"{}")) as server,
        timed(write_kubeconfig(tmp_path, server.url, plugin(tmp_path)), clock) as cluster,
    ):
        clock.now += 60
        for _ in range(5):
            with pytest.raises(errors.Unauthorized):
                await cluster.version()
    assert (tmp_path / "count").read_text() == "2"


async def test_many_requests_with_the_same_old_token_read_it_once(tmp_path: Path) -> None:
    """However they mix with those that already have the new one; a watch is one of them."""

    async def reply(request: Seen, writer: asyncio.StreamWriter) -> None:
        good = request.headers["authorization"] == ["Bearer token-2"]
        writer.write(response(200, VERSION) if good else response(401, b"{}"))

    async def follow(cluster: Cluster) -> None:
        request = requests.watch("Pod", None, labels=None, version="1", seconds=300)
        async with cluster.stream(request, silence=60) as chunks:
            assert [chunk async for chunk in chunks] == [VERSION]

    async with (
        RawServer(reply) as server,
        timed(write_kubeconfig(tmp_path, server.url, plugin(tmp_path)), Clock()) as cluster,
    ):
        await asyncio.gather(follow(cluster), *(cluster.version() for _ in range(20)), follow(cluster))
        await asyncio.gather(*(cluster.version() for _ in range(20)))
    assert (tmp_path / "count").read_text() == "2"


async def test_a_token_that_is_in_use_before_the_file_has_it_is_waited_for(tmp_path: Path) -> None:
    async def reply(request: Seen, writer: asyncio.StreamWriter) -> None:
        good = request.headers["authorization"] == ["Bearer second"]
        writer.write(response(200, VERSION) if good else response(401, b"{}"))

    async def sleep(_: float) -> None:
        (tmp_path / "token").write_text("second")

    (tmp_path / "token").write_text("first")
    async with RawServer(reply) as server:
        source = KubeconfigSource(write_kubeconfig(tmp_path, server.url, {"tokenFile": "token"}), None)
        credentials = Credentials(source, await source.read(), sleep=sleep)
        cluster = Cluster(Transport(credentials, timeout=PATIENCE), timeout=PATIENCE, hook=None)
        assert await cluster.version() == "v1"
        await cluster.aclose()


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({"token": "t"}, ["user 'u' in the kubeconfig", "put credentials there"]),
        ({"tokenFile": "token"}, ["from the file token", "write a valid token"]),
        ("plugin", ["from the plugin", "log in again"]),
        ({"username": "u", "password": "hush"}, ["user 'u' in the kubeconfig"]),
    ],
    ids=["token", "file", "plugin", "password"],
)
async def test_a_refusal_names_whose_credentials_they_are_and_what_to_do(
    tmp_path: Path, user: dict[str, Any] | str, words: list[str]
) -> None:
    (tmp_path / "token").write_text("hush")
    given = plugin(tmp_path) if isinstance(user, str) else user
    request = requests.watch("Pod", None, labels=None, version="1", seconds=300)
    async with (
        RawServer(answering(401, b"{}")) as server,
        connected(write_kubeconfig(tmp_path, server.url, given)) as cluster,
    ):
        with pytest.raises(errors.Unauthorized) as of_a_call:
            await cluster.version()
        with pytest.raises(errors.Unauthorized) as of_a_watch:
            async with cluster.stream(request, silence=60):
                pass
    for caught in (of_a_call, of_a_watch):
        assert not caught.value.retryable
        assert all(word in caught.value.message for word in [*words, "401"]), caught.value.message
        assert "hush" not in caught.value.message


async def test_credentials_that_cannot_be_read_again_are_part_of_the_refusal(tmp_path: Path) -> None:
    async with RawServer(answering(401, b"{}")) as server:
        path = write_kubeconfig(tmp_path, server.url, {"token": "t"})
        async with connected(path) as cluster:
            await asyncio.to_thread(Path(path).write_text, "{half a fi")
            with pytest.raises(errors.Unauthorized, match="could not be read again"):
                await cluster.version()


def server_tls(*, client_ca: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.crt", TLS / "server.key")
    if client_ca:
        context.load_verify_locations(TLS / "ca.crt")
        context.verify_mode = ssl.CERT_REQUIRED
    return context


async def test_tls_with_client_certificate(tmp_path: Path) -> None:
    user = {"client-certificate": str(TLS / "client.crt"), "client-key": str(TLS / "client.key")}
    async with RawServer(answering(200, VERSION), tls=server_tls(client_ca=True)) as server:
        path = write_kubeconfig(tmp_path, server.url, user, **{"certificate-authority": str(TLS / "ca.crt")})
        async with connected(path) as cluster:
            assert await cluster.version() == "v1"


async def test_a_server_that_the_ca_did_not_sign_is_unreachable(tmp_path: Path) -> None:
    async with RawServer(answering(200, VERSION), tls=server_tls()) as server:
        async with connected(write_kubeconfig(tmp_path, server.url, {"token": "t"})) as cluster:
            with pytest.raises(errors.Unreachable, match="certificate"):
                await cluster.version()
        assert server.seen == []


@pytest.mark.parametrize(("name", "works"), [("api.test", True), ("wrong.test", False)])
async def test_the_tls_server_name_is_the_one_that_is_checked(tmp_path: Path, name: str, works: bool) -> None:
    async with RawServer(answering(200, VERSION), tls=server_tls()) as server:
        cluster_entry = {"certificate-authority": str(TLS / "ca.crt"), "tls-server-name": name}
        async with connected(write_kubeconfig(tmp_path, server.url, {}, **cluster_entry)) as cluster:
            if works:
                await cluster.version()
            else:
                with pytest.raises(errors.Unreachable):
                    await cluster.version()


async def test_verification_can_be_turned_off(tmp_path: Path) -> None:
    async with (
        RawServer(answering(200, VERSION), tls=server_tls()) as server,
        connected(write_kubeconfig(tmp_path, server.url, {}, **{"insecure-skip-tls-verify": True})) as cluster,
    ):
        assert await cluster.version() == "v1"


async def test_connections_are_kept_when_credentials_are_read_again(tmp_path: Path) -> None:
    clock = Clock()
    ports = []

    async def reply(request: Seen, writer: asyncio.StreamWriter) -> None:
        ports.append(writer.get_extra_info("peername")[1])
        writer.write(response(200, VERSION))

    async with RawServer(reply, tls=server_tls()) as server:
        path = write_kubeconfig(tmp_path, server.url, {}, **{"certificate-authority": str(TLS / "ca.crt")})
        async with timed(path, clock) as cluster:
            await cluster.version()
            clock.now += 61
            await cluster.version()
    assert ports[0] == ports[1]


async def test_a_proxy_is_used(tmp_path: Path) -> None:
    async with RawServer(answering(200, VERSION)) as proxy:
        path = write_kubeconfig(tmp_path, "http://api.invalid", {}, **{"proxy-url": proxy.url})
        async with connected(path) as cluster:
            assert await cluster.version() == "v1"
    assert proxy.seen[0].target == "http://api.invalid/version"


async def test_a_proxy_of_the_environment_is_used_but_not_for_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with RawServer(answering(200, VERSION)) as proxy, RawServer(answering(200, VERSION)) as server:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "other.invalid")
        for url in ("http://api.invalid", server.url):
            async with connected(write_kubeconfig(tmp_path, url, {})) as cluster:
                await cluster.version()
        async with connected(write_kubeconfig(tmp_path, "http://other.invalid", {})) as cluster:
            with pytest.raises(errors.Unreachable):
                await cluster.version()
    assert [request.target for request in proxy.seen] == ["http://api.invalid/version"]
    assert [request.target for request in server.seen] == ["/version"]


BROKEN = {
    "empty": "",
    "no yaml": "{",
    "a list": "[]",
    "no contexts": "current-context: main",
    "unknown context": json.dumps({"current-context": "x", "contexts": [], "clusters": [], "users": []}),
    "unknown cluster": json.dumps(
        {"current-context": "x", "contexts": [{"name": "x", "context": {"cluster": "y"}}], "clusters": [], "users": []}
    ),
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
async def test_a_broken_kubeconfig_is_misconfigured(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(errors.Misconfigured, match="config"):
        await Cluster.connect(kubeconfig=str(path), context=None)


async def test_an_absent_kubeconfig_context_or_plugin_is_misconfigured(tmp_path: Path) -> None:
    with pytest.raises(errors.Misconfigured, match="nowhere"):
        await Cluster.connect(kubeconfig=str(tmp_path / "nowhere"), context=None)
    path = write_kubeconfig(tmp_path, "http://127.0.0.1:1", {"token": "t"})
    with pytest.raises(errors.Misconfigured, match="elsewhere"):
        await Cluster.connect(kubeconfig=path, context="elsewhere")
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/nowhere/plugin"}}
    with pytest.raises(errors.Misconfigured, match="plugin"):
        await Cluster.connect(kubeconfig=write_kubeconfig(tmp_path, "http://127.0.0.1:1", user), context=None)


async def test_a_token_that_is_no_header_is_misconfigured(tmp_path: Path) -> None:
    path = write_kubeconfig(tmp_path, "http://127.0.0.1:1", {"token": "a\r\nX-Evil: 1"})
    with pytest.raises(errors.Misconfigured, match="control characters"):
        await Cluster.connect(kubeconfig=path, context=None)


def _jwt() -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, {"exp": 2**33})]
    return ".".join([*parts, "c2ln"])


@pytest.mark.parametrize(
    ("user", "reads"),
    [
        ({"token": "t"}, 3),
        ({"auth-provider": {"name": "oidc", "config": {"id-token": _jwt()}}}, 2),
    ],
)
async def test_only_a_file_is_waited_for_after_a_refusal(tmp_path: Path, user: dict[str, Any], reads: int) -> None:
    """To ask a provider on the network may take long: twice would be too long for a request that was refused."""
    source = KubeconfigSource(write_kubeconfig(tmp_path, "https://example.invalid", user), None)
    read, slept = 0, 0

    class Counted:
        async def read(self) -> Access:
            nonlocal read
            read += 1
            return await source.read()

    async def sleep(seconds: float) -> None:
        nonlocal slept
        slept += 1

    access = await Counted().read()
    await Credentials(Counted(), access, clock=Clock(), sleep=sleep).refused(access)
    assert (read, slept) == (reads, reads - 2)
