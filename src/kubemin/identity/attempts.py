"""How often an address may try: wrong credentials, and what else costs something before anybody is known."""

import ipaddress
import time
from collections.abc import Callable

from kubemin.identity.errors import SESSION_OVER, TooMany, Unknown
from kubemin.identity.rates import Buckets

_MINUTE = 60.0
_MORE = 10
"""So many times as many sessions that are over, and begun logins: browsers send those of people who do no wrong."""


class Attempts:
    """In this process. Raises `TooMany`."""

    def __init__(self, a_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._wrong = Buckets(a_minute / _MINUTE, a_minute, clock)
        self._harmless = Buckets(_MORE * a_minute / _MINUTE, _MORE * a_minute, clock)

    def check(self, address: str, *, session: bool = False) -> None:
        """To be asked before anything is read for a credential that is not known to be right."""
        if seconds := (self._harmless if session else self._wrong).seconds(_place(address)):
            raise _too_many(address, seconds)

    def count(self, address: str, error: Unknown) -> None:
        """Count a credential that was refused."""
        bucket = self._harmless if error.code == SESSION_OVER else self._wrong
        if (seconds := bucket.take(_place(address))) and bucket is self._wrong:
            raise _too_many(address, seconds)

    def count_login(self, address: str) -> None:
        """Count a login that begins."""
        if seconds := self._harmless.take(_place(address)):
            raise _too_many(address, seconds)


def _place(address: str) -> str:
    """For what is counted: of IPv6 the network, of whose addresses one machine has as many as it likes."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return address if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))


def _too_many(address: str, seconds: int) -> TooMany:
    return TooMany(f"Too many wrong credentials from {address}: try again in {seconds} s.", seconds)
