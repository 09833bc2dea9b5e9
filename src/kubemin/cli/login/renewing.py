"""A login that is kept, as a client shows it: renewed shortly before it expires, and where the server refuses it."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from kubemin.cli.exits import CliError
from kubemin.cli.language import tr
from kubemin.cli.login.origins import is_safe, origin_of
from kubemin.cli.login.stored import Login, Logins, logins
from kubemin.cli.output import complain
from kubemin.client.errors import Unauthorized, Unavailable

_EARLY_SECONDS = 30.0


class Renewing:
    """The credential of one server. ``now``: seconds since 1970.

    Raises `Unauthorized` where one has to log in again, `Unavailable` where the issuer is away, and `CliError`.
    """

    def __init__(self, kept: Logins, server: str, login: Login, now: Callable[[], float] = time.time) -> None:
        self._kept = kept
        self._server = server
        self._login = login
        self._now = now
        self._turn = threading.Lock()

    def token(self) -> str:
        """What is shown next."""
        with self._turn:
            if not self._ends_within(self._login, _EARLY_SECONDS):
                return self._login.token
            if self._login.refresh_token is None and not self._ends_within(self._login, 0):
                return self._login.token
            try:
                self._renew()
            except Unavailable:
                if self._ends_within(self._login, 0):
                    raise
            return self._login.token

    def another(self, refused: str | None) -> str | None:
        """What is shown in place of one that the server does not know."""
        with self._turn:
            if self._login.token == refused:
                if self._login.issuer is None:
                    return None
                self._renew()
            return self._login.token

    def _ends_within(self, login: Login, seconds: float) -> bool:
        return login.expires is not None and login.expires - self._now() <= seconds

    def _renew(self) -> None:
        """Ask the issuer for a new token, unless another command has just done that."""
        with self._kept.locked():
            kept = self._kept.get(self._server)
            if kept is None:
                raise Unauthorized(tr("You have logged out of {server}.", server=self._server))
            if kept.token != self._login.token and not self._ends_within(kept, _EARLY_SECONDS):
                self._login = kept
                return
            self._login = renewed(kept, self._server, self._now())
            try:
                self._kept.put(self._server, self._login)
            except CliError as error:  # what runs goes on; the next command may have to log in
                complain(tr("warning: {what}", what=error.message))


def renewed(login: Login, server: str, now: float) -> Login:
    """The login with a new token of its issuer."""
    if login.issuer is None or login.refresh_token is None or login.client_id is None:
        raise Unauthorized(tr("The login at {server} has expired.", server=server))
    from kubemin.cli.login.issuer import Issuer, IssuerRefuses
    from kubemin.cli.login.made import login_of
    from kubemin.cli.login.origins import is_loopback

    issuer = Issuer.at(login.issuer, plain=is_loopback(server))
    form = {"grant_type": "refresh_token", "refresh_token": login.refresh_token, "client_id": login.client_id}
    try:
        answer = issuer.tokens(form)
    except IssuerRefuses as error:
        message = tr(
            "The login at {server} is over: the issuer does not renew it ({error}).", server=server, error=error.error
        )
        raise Unauthorized(message) from error
    made = login_of(answer, issuer, login.client_id, login.presents or "", now)
    if made is None:
        message = tr(
            "The login at {server} is over: the issuer renews it without a token for the server.", server=server
        )
        raise Unauthorized(message)
    return replace(made, refresh_token=made.refresh_token or login.refresh_token)


def kept_for(server: str) -> Renewing | None:
    """The login that is kept for a server; None where there is none, or its tokens could be read on the way."""
    kept = logins()
    origin = origin_of(server)
    if origin is None or not is_safe(origin):
        return None
    login = kept.get(origin)
    return None if login is None else Renewing(kept, origin, login)
