"""What the API can be told."""

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:.]+\](:[0-9]{1,5})?")


def _origins(text: str) -> str:
    """As browsers spell them, or `ValueError`. No ``*``: whoever is asked by every page is asked by foreign ones."""
    for one in _names(text):
        if not _ORIGIN.fullmatch(one) or one.endswith(":80" if one.startswith("http:") else ":443"):
            raise ValueError(f"{one!r} is no origin such as https://console.example or http://localhost:5173")
    return text


def _networks(text: str) -> str:
    for one in _names(text):
        ipaddress.ip_network(one)  # a `ValueError` says what is wrong with it
    return text


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


class ApiSettings(BaseModel):
    """Handed on whole. Times are seconds."""

    model_config = ConfigDict(frozen=True)

    allowed_hosts: str = ""
    """Host names, separated by commas, under which the API answers, beside `localhost` and loopback addresses; with any
    port.
    """
    allowed_origins: Annotated[str, AfterValidator(_origins)] = ""
    """Origins, separated by commas, whose pages may use the API from a browser: `https://console.example`."""
    console_dir: str | None = None
    """The build of a web console, served at `/` by `kubemin serve`."""
    max_body_bytes: int = Field(default=8 * 1024 * 1024, ge=1024)
    """Largest body of a request to the API."""
    max_connections: int = Field(default=1000, ge=1)
    """Open connections of one process, but no more than half of the files that it may open. One too many gets a 503
    with `Retry-After`; a cancel passes, on twice as many.
    """
    max_event_streams: int = Field(default=500, ge=1)
    """Event streams of one process; one too many gets a 503 with `Retry-After`."""
    max_caller_streams: int = Field(default=100, ge=1)
    """And so many of one caller, where callers have to say who they are."""
    head_seconds: float = Field(default=10, gt=0)
    """Time until a connection has sent the head of its request; then a 408, or the end if it has sent nothing."""
    body_seconds: float = Field(default=60, gt=0)
    """Time until a request has sent its whole body; then it gets a 408."""
    read_seconds: float = Field(default=60, gt=0)
    """Time for which a client may read nothing of a reply or a stream that waits for it; then it is closed."""
    idle_seconds: int = Field(default=60, ge=1)
    """Time after a reply until the next request; then the connection is closed."""
    write_probe_seconds: float = Field(default=5, ge=0)
    """How often, at most, `/readyz` writes to the database to see whether that can be done."""

    trusted_proxies: Annotated[str, AfterValidator(_networks)] = ""
    """Addresses and networks, separated by commas, of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are
    believed: `10.0.0.5, 10.1.0.0/16`. Without it a caller's address is that of its connection.
    """
    hsts_seconds: int | None = Field(default=None, ge=0)
    """Seconds for which browsers are told to use TLS only (`Strict-Transport-Security`); 0 is never. By default a year,
    where the request came by TLS.
    """

    @property
    def hosts(self) -> frozenset[str]:
        """``allowed_hosts``, one by one."""
        return _names(self.allowed_hosts)

    @property
    def origins(self) -> frozenset[str]:
        """``allowed_origins``, one by one."""
        return _names(self.allowed_origins)

    @property
    def proxies(self) -> frozenset[str]:
        """``trusted_proxies``, one by one."""
        return _names(self.trusted_proxies)
