"""A login on another device: the device authorization grant (RFC 8628)."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from kubemin.cli.exits import CliError
from kubemin.cli.language import tr
from kubemin.cli.login.issuer import Answer, Issuer, IssuerRefuses
from kubemin.cli.login.origins import is_safe
from kubemin.cli.output import complain
from kubemin.client.errors import Denied, Refused, Unavailable

ENDPOINT = "device_authorization_endpoint"
_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_INTERVAL = 5.0
_SLOWER = 5.0
_MOST_INTERVAL = 60.0
_MOST_SECONDS = 3600.0


def by_device(
    issuer: Issuer,
    client_id: str,
    scopes: str,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Answer:
    """Say where to log in, and wait until that is done; the issuer's tokens. Raises `KubeminError`, `CliError`."""
    begun = issuer.post(issuer.needed(ENDPOINT), {"client_id": client_id, "scope": scopes})
    code, address = begun.get("device_code"), begun.get("verification_uri")
    shown, whole = begun.get("user_code"), begun.get("verification_uri_complete")
    if not all(isinstance(one, str) for one in (code, address, shown)) or not is_safe(
        str(address), plain=issuer.is_plain
    ):
        raise Refused(tr("the issuer {issuer} gives no usable answer", issuer=issuer.name))
    complain(tr("Open {address} in a browser, and enter the code {code}", address=address, code=shown))
    if isinstance(whole, str) and is_safe(whole, plain=issuer.is_plain):
        complain(tr("or open {address} and compare the code.", address=whole))
    until = now() + _seconds(begun, "expires_in", _MOST_SECONDS / 2, _MOST_SECONDS)
    interval = _seconds(begun, "interval", _INTERVAL, _MOST_INTERVAL)
    form = {"grant_type": _GRANT, "device_code": str(code), "client_id": client_id}
    while True:
        sleep(interval)
        if now() >= until:
            raise _expired()
        try:
            return issuer.tokens(form)
        except Unavailable:
            interval = min(2 * interval, _MOST_INTERVAL)
        except IssuerRefuses as error:
            match error.error:
                case "authorization_pending":
                    pass
                case "slow_down":
                    interval = min(interval + _SLOWER, _MOST_INTERVAL)
                case "access_denied":
                    raise Denied(tr("the login was refused at the issuer")) from error
                case "expired_token":
                    raise _expired() from error
                case _:
                    raise


def _expired() -> CliError:
    return CliError(tr("nobody has logged in in time: nothing was done"))


def _seconds(begun: Mapping[str, Any], name: str, default: float, most: float) -> float:
    given = begun.get(name)
    return min(float(given), most) if isinstance(given, int | float) and given > 0 else default
