"""``kubemin login``: by an issuer, or with an API token."""

import os
import sys
import time
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING

from kubemin.cli.asking import interruptible
from kubemin.cli.connection import Connection
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.language import tr
from kubemin.cli.login.origins import is_loopback, is_safe, origin_of
from kubemin.cli.login.stored import Login, logins
from kubemin.cli.output import complain
from kubemin.cli.whoami import tell
from kubemin.client.errors import Unauthorized
from kubemin.client.sync import Client

if TYPE_CHECKING:
    from kubemin.client.replies import IssuerWay, Whoami


class Way(StrEnum):
    """How to log in."""

    TOKEN = "token"  # noqa: S105
    DEVICE = "device"
    BROWSER = "browser"


def login(way: Way | None, to: Connection) -> None:
    """Log in, and keep that for the server; ``way`` None: as the server and this machine have it. Raises `CliError`."""
    server = origin_of(to.server)
    if server is None:
        Connection(to.server, None).client()  # says what is wrong with it
        raise CliError(tr("{server} is not the address of a server", server=repr(to.server)), Exit.USAGE)
    if not is_safe(server):
        message = tr(
            "{server} is not reached by HTTPS: a token could be read on the way, and nobody logs in", server=server
        )
        raise CliError(message, Exit.USAGE)
    ways = Client(to.server).ways()
    if not ways["required"]:
        to.output.tell(tr("{server} asks nobody who they are: there is nothing to log in to", server=server))
        return
    issuer = ways.get("oidc")
    if way is Way.TOKEN or (issuer is None and way is None):
        made = [Login(_api_token(given=way is Way.TOKEN))]
    elif issuer is None:
        raise CliError(tr("{server} has no issuer to log in at: give it an API token", server=server), Exit.USAGE)
    else:
        made = list(_by_issuer(way, issuer, plain=is_loopback(server)))
    login, who = _known(made, to)
    kept = logins()
    with kept.locked():
        kept.put(server, login)
    tell(who, to.output)
    if to.token:
        complain(tr("warning: {what}", what=tr("KUBEMIN_TOKEN is set: commands take that, and not this login")))


def _known(made: list[Login], to: Connection) -> "tuple[Login, Whoami]":
    """The first one that the server knows, and who that is."""
    for number, login in enumerate(made, 1):
        try:
            return login, Client(to.server, login.token).whoami()
        except Unauthorized:
            if number == len(made):
                raise
    raise CliError(tr("the issuer gives no token that a server can check"))


def _api_token(*, given: bool) -> str:
    """The token that somebody types, or with ``given`` the first line of stdin."""
    if given:
        text = sys.stdin.readline()
    elif sys.stdin.isatty():
        import getpass

        with interruptible():  # else a terminal would be left that shows nothing of what is typed
            text = getpass.getpass(tr("API token: "), sys.stderr)
    else:
        raise CliError(tr("there is nobody to ask for an API token: give it by --token-stdin"), Exit.USAGE)
    text = text.strip()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise CliError(tr("this is no API token"), Exit.USAGE)
    return text


def _by_issuer(way: Way | None, given: "IssuerWay", *, plain: bool) -> Iterator[Login]:
    """What the issuer gives that may be shown to the server, the best first."""
    from kubemin.cli.login.browser import by_browser
    from kubemin.cli.login.device import ENDPOINT, by_device
    from kubemin.cli.login.issuer import Issuer
    from kubemin.cli.login.made import PRESENTED, check_id_token, login_of

    issuer, client_id = Issuer.at(given["issuer"], plain=plain), given["clientId"]
    scopes, nonce = issuer.scopes(given["scopes"]), None
    opens = sys.stderr.isatty() and _has_display()
    if way is Way.BROWSER or (way is None and (opens or issuer.endpoint(ENDPOINT) is None)):
        import webbrowser

        shows = webbrowser.open if way is Way.BROWSER or opens else lambda _: None
        answer, nonce = by_browser(issuer, client_id, scopes, shows)
    else:
        answer = by_device(issuer, client_id, scopes)
    check_id_token(answer, issuer, client_id, nonce)
    for presents in PRESENTED:
        if (login := login_of(answer, issuer, client_id, presents, time.time())) is not None:
            yield login


def _has_display() -> bool:
    """Whether a browser can be shown here: not over SSH, say."""
    if sys.platform == "darwin":
        return "SSH_CONNECTION" not in os.environ
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
