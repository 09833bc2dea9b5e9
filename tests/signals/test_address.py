"""URLs, and what must never be read in a log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from kubemin.signals import SignalError
from kubemin.signals.address import Address
from kubemin.signals.opening import open_signals
from kubemin.signals.redis import RedisSignals


@pytest.mark.parametrize(
    ("url", "shown", "form", "options"),
    [
        ("redis://localhost", "localhost:6379", "single", {}),
        ("redis://:pw@h:7000/3", "h:7000", "single", {"password": "pw", "db": 3}),
        ("redis://u%40x:p%2Fw@h", "h:6379", "single", {"username": "u@x", "password": "p/w"}),
        ("redis://[::1]:7000", "::1:7000", "single", {}),
        ("rediss://h?ssl_ca_certs=/ca.pem", "h:6379", "single", {"ssl": True, "ssl_ca_certs": "/ca.pem"}),
        ("unix:///run/redis.sock?db=2", "/run/redis.sock", "single", {"unix_socket_path": "/run/redis.sock", "db": 2}),
        ("redis+cluster://u:p@a:1,b,c:3", "a:1,b:6379,c:3", "cluster", {"username": "u", "password": "p"}),
        ("rediss+cluster://a", "a:6379", "cluster", {"ssl": True}),
        ("redis+sentinel://a,b:2/mine", "a:26379,b:2 (mine)", "sentinel", {}),
        ("redis+sentinel://u:p@a/mine/4", "a:26379 (mine)", "sentinel", {"username": "u", "password": "p", "db": 4}),
        (
            "rediss+sentinel://a/mine?ssl_cert_reqs=none",
            "a:26379 (mine)",
            "sentinel",
            {"ssl": True, "ssl_cert_reqs": "none"},
        ),
    ],
)
def test_urls(url: str, shown: str, form: str, options: dict[str, object]) -> None:
    address = Address.parse(url)
    assert (str(address), address.form, address.options) == (shown, form, options)


def test_sentinels_may_have_credentials_of_their_own() -> None:
    address = Address.parse("rediss+sentinel://u:p@a/mine?sentinel_username=su&sentinel_password=s%26p")
    assert address.options == {"username": "u", "password": "p", "ssl": True}
    assert address.sentinel_options == {"username": "su", "password": "s&p", "ssl": True}


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:6379",
        "http://h",
        "redis:",
        "redis+cluster://",
        "redis+sentinel://h",
        "redis+sentinel://h/",
        "redis+magic://h/",
        "postgresql+cluster://h/",
        "redis://:hush@h:port",
        "redis+cluster://u:hush@a,b:port",
        "redis+cluster://u:hush@a,:1",
        "redis://u:hush#@h:7",
        "redis://h?db=hush",
        "redis://h/hush",
        "redis://h?hush=1",
        "redis://h?db=1&db=2",
        "redis://h?ssl_ca_certs=hush",
        "rediss://h?ssl_cert_reqs=hush",
        "redis://h?retry=hush",
        "redis://h?max_connections=-1",
        "redis://h?host=i&port=hush",
        "redis://h?sentinel_password=hush",
        "redis://h?hush",
        "redis+sentinel://h/s?hush=1",
        "redis+sentinel://h/s/hush",
        "redis+cluster://h?hush=1",
        "unix:///hush?hush=1",
    ],
)
async def test_an_unusable_url_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(SignalError, match=r"^The Redis URL is not valid; its form is redis://") as raised:
        await open_signals(url)
    assert "hush" not in str(raised.value)
    assert raised.value.__suppress_context__


@given(
    password=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=4).map("hush{}".format),
    form=st.sampled_from(["redis://{}h", "rediss://{}h/1", "redis+cluster://{}h,i", "redis+sentinel://{}h/s"]),
)
def test_a_password_is_kept_and_never_shown(password: str, form: str) -> None:
    from urllib.parse import quote

    address = Address.parse(form.format(f"u:{quote(password, safe='')}@"))
    assert address.options["password"] == password
    assert password not in str(address) + repr(address)


@pytest.mark.parametrize(
    "url", ["redis://u:hush@127.0.0.1:1", "redis+cluster://u:hush@127.0.0.1:1", "redis+sentinel://u:hush@127.0.0.1:1/s"]
)
async def test_a_server_that_is_away_is_named_without_the_password(url: str) -> None:
    with capture_logs() as logs:
        signals = RedisSignals(url)
        await signals.poll()
        with pytest.raises(SignalError) as raised:
            await signals.cancel("t1", "stop")
        await signals.aclose()
    assert "127.0.0.1:1" in str(raised.value)
    assert [entry["event"] for entry in logs] == ["connection lost"]
    assert "hush" not in repr(logs) + str(raised.value)
