"""What a login is made of: the file, the waiting for a device, and where tokens may go."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from kubemin.cli.exits import CliError, Exit
from kubemin.cli.login.device import by_device
from kubemin.cli.login.issuer import Issuer, IssuerRefuses
from kubemin.cli.login.origins import is_safe, origin_of
from kubemin.cli.login.renewing import Renewing, kept_for
from kubemin.cli.login.stored import Login, Logins
from kubemin.client.errors import Denied, KubeminError, Refused, Unauthorized
from tests.cli.kubemin import InProcess, environment
from tests.identity.provider import CLIENT, Provider, provider_beside

SERVER = "https://kubemin.example"
LOGIN = Login("secret-token", 1e12, "secret-refresh", "https://login.example", CLIENT, "id_token")


@pytest.fixture
def logins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Logins:
    """A file with one login."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    one = Logins(str(tmp_path / "kubemin" / "credentials.json"))
    with one.locked():
        one.put(SERVER, LOGIN)
    return one


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o660, 0o601])
def test_a_file_that_others_may_read_is_not_used(logins: Logins, mode: int, here: InProcess) -> None:
    assert logins.get(SERVER) == LOGIN
    Path(logins.path).chmod(mode)
    with pytest.raises(CliError, match="chmod 600"):
        logins.get(SERVER)
    with pytest.raises(CliError), logins.locked():
        logins.put(SERVER, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"servers": []}',
        '{"servers": {"x": []}}',
        '{"servers": {"x": {}}}',
        '{"servers": {"x": {"token": 1}}}',
        '{"servers": {"x": {"token": "secret", "expires": "secret"}}}',
        '{"servers": {"x": {"token": "secret", "more": 1}}}',
        "[" * 100_000,
        "\udcff",
    ],
)
def test_what_is_no_such_file_is_refused_and_nothing_of_it_is_said(logins: Logins, text: str) -> None:
    Path(logins.path).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(CliError) as refused:
        logins.get(SERVER)
    assert "secret" not in str(refused.value)
    assert logins.path in str(refused.value)


@pytest.mark.parametrize("step", ["os.fsync", "os.replace"])
def test_a_writer_that_is_killed_leaves_what_was_there(logins: Logins, step: str) -> None:
    code = (
        "import os, signal\n"
        "from kubemin.cli.login.stored import Login, Logins\n"
        f"{step} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"one = Logins({logins.path!r})\n"
        "with one.locked():\n"
        f"    one.put({SERVER!r}, Login('another'))\n"
    )
    killed = subprocess.run([sys.executable, "-c", code], env=environment(None), check=False)
    assert killed.returncode == -signal.SIGKILL
    assert logins.get(SERVER) == LOGIN
    with logins.locked():
        logins.put("https://other.example", Login("other"))
    assert logins.get(SERVER) == LOGIN
    assert sorted(one.name for one in Path(logins.path).parent.iterdir()) == [
        "credentials.json",
        "credentials.json.lock",
    ]


@pytest.mark.parametrize(
    "server",
    ["https://kubemin.example", "HTTPS://KubeMin.Example/", "https://kubemin.example:443", "https://kubemin.example//"],
)
def test_a_server_has_one_login_however_it_is_written(logins: Logins, server: str) -> None:
    found = kept_for(server)
    assert found is not None
    assert found.token() == LOGIN.token
    assert "secret" not in repr(LOGIN)


@pytest.mark.parametrize(
    "server",
    [
        "http://kubemin.example",
        "https://kubemin.example:8443",
        "https://kubemin.example.evil.example",
        "https://evil.example",
        "https://evil.example/kubemin.example",
        "https://kubemin.example/other",
        "https://kubemin.example@evil.example",
        "https://ada@kubemin.example",
        "https://kubemin.example?x",
        "https://kubemin.example:x",
        "kubemin.example",
        "",
    ],
)
def test_a_token_is_shown_to_no_other_server(logins: Logins, server: str) -> None:
    assert kept_for(server) is None


def test_over_plain_http_a_token_stays_on_this_machine(logins: Logins) -> None:
    for server in ("http://kubemin.example", "http://127.0.0.1:8000", "http://[::1]:8000"):
        with logins.locked():
            logins.put(origin_of(server) or "", LOGIN)
    assert kept_for("http://kubemin.example") is None
    assert kept_for("http://127.0.0.1:8000") is not None
    assert kept_for("http://[::1]:8000/") is not None
    assert not is_safe("http://127.0.0.1.evil.example")
    assert not is_safe("http://127.0.0.1:1", plain=False)


@pytest.fixture
def issuer() -> Iterator[Provider]:
    with provider_beside() as one:
        one.public = True
        yield one


class Clock:
    """Moved by whoever sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept = list[float]()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_a_device_is_asked_for_as_slowly_as_the_issuer_wants(issuer: Provider) -> None:
    issuer.device_errors = ["authorization_pending", "slow_down", "authorization_pending", "slow_down"]
    clock = Clock()
    answer = by_device(Issuer.at(issuer.url, plain=True), CLIENT, "openid", clock, clock.sleep)
    assert answer["id_token"]
    assert clock.slept == [0.01, 0.01, 5.01, 5.01, 10.01]


@pytest.mark.parametrize(
    ("error", "kind"), [("access_denied", Denied), ("expired_token", CliError), ("invalid_client", IssuerRefuses)]
)
def test_a_login_by_device_that_is_refused_is_over(issuer: Provider, error: str, kind: type[Exception]) -> None:
    issuer.device_errors = ["authorization_pending", error]
    clock = Clock()
    with pytest.raises(kind):
        by_device(Issuer.at(issuer.url, plain=True), CLIENT, "openid", clock, clock.sleep)
    assert issuer.asked.count("device_code") == 2


def test_nobody_is_waited_for_longer_than_the_code_is_good(issuer: Provider) -> None:
    issuer.device_errors = ["slow_down"] * 100
    clock = Clock()
    with pytest.raises(CliError, match="in time"):
        by_device(Issuer.at(issuer.url, plain=True), CLIENT, "openid", clock, clock.sleep)
    assert 600 <= clock.now < 700


@pytest.mark.parametrize(
    "metadata",
    [
        {"token_endpoint": "http://evil.example/token"},
        {"token_endpoint": "file:///etc/passwd"},
        {"token_endpoint": 1},
        {"token_endpoint": None},
        {"device_authorization_endpoint": "http://evil.example/device"},
        {"issuer": "https://evil.example"},
    ],
)
def test_what_an_issuer_says_wrongly_is_not_followed(issuer: Provider, metadata: dict[str, object]) -> None:
    issuer.metadata = metadata
    clock = Clock()
    with pytest.raises(Refused):
        by_device(Issuer.at(issuer.url, plain=True), CLIENT, "openid", clock, clock.sleep)
    assert clock.now < 600


def test_tokens_of_an_issuer_on_this_machine_are_for_servers_on_it(issuer: Provider) -> None:
    with pytest.raises(Refused, match="HTTPS"):
        Issuer.at(issuer.url, plain=False)
    assert issuer.asked == []


def test_a_token_is_renewed_half_a_minute_before_it_expires(issuer: Provider, logins: Logins) -> None:
    issuer.refresh_tokens["refresh"] = ("ada", True)
    server, clock = "http://127.0.0.1:8000", Clock()
    with logins.locked():
        logins.put(server, Login("first", 1000.0, "refresh", issuer.url, CLIENT, "id_token"))
    first = logins.get(server)
    assert first is not None
    ours, theirs = Renewing(logins, server, first, clock), Renewing(logins, server, first, clock)
    clock.now = 969.0
    assert ours.token() == "first"
    clock.now = 971.0
    second = ours.token()
    assert second != "first"
    assert theirs.token() == second  # it was renewed already
    assert theirs.another(second) != second
    assert ours.another(second) == theirs.token()
    assert issuer.asked.count("refresh_token") == 2
    with logins.locked():
        logins.put(server, None)
    with pytest.raises(Unauthorized):
        ours.another(ours.token())


@pytest.fixture
def evil() -> Iterator[Callable[[object], str]]:
    """A server that says of logins what it likes."""
    said: list[object] = []

    class Says(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"code": 0, "message": "", "data": said[-1]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Says) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()

        def saying(what: object) -> str:
            said.append(what)
            return f"http://127.0.0.1:{server.server_address[1]}"

        yield saying
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "issuer_address", ["http://login.example", "http://10.0.0.1", "file:///etc", "", "https://a@b"]
)
@pytest.mark.parametrize("way", ["--device", "--browser"])
def test_an_issuer_without_https_gets_no_login(
    here: InProcess, evil: Callable[[object], str], issuer_address: str, way: str
) -> None:
    oidc = {"issuer": issuer_address, "clientId": "x", "scopes": "openid"}
    url = evil({"required": True, "tokens": True, "oidc": oidc, "csrfHeader": "X"})
    refused = here("login", way, "--server", url)
    assert refused.returncode == Exit.FAILED
    assert "HTTPS" in refused.stderr
    assert "http" not in refused.stdout


def test_errors_of_a_login_are_the_client_s() -> None:
    assert issubclass(IssuerRefuses, KubeminError)
