"""``kubemin logout``: what is kept is forgotten, and the issuer is told."""

from typing import TYPE_CHECKING

from kubemin.cli.connection import Connection
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.language import because, tr
from kubemin.cli.login.origins import is_loopback, origin_of
from kubemin.cli.login.stored import Login, logins
from kubemin.cli.output import complain
from kubemin.client.errors import KubeminError
from kubemin.spec.addresses import with_query

if TYPE_CHECKING:
    from kubemin.cli.login.issuer import Issuer


def logout(to: Connection) -> None:
    """Forget the login at the server; where there is none, nothing is to be done. Raises `CliError`, `Unavailable`."""
    server, kept = origin_of(to.server), logins()
    if server is None:
        raise CliError(tr("{server} is not the address of a server", server=repr(to.server)), Exit.USAGE)
    with kept.locked():
        login = kept.get(server)
        if login is not None:
            kept.put(server, None)
    if login is None:
        to.output.tell(tr("there is no login at {server}", server=server))
        return
    to.output.tell(tr("logged out of {server}", server=server))
    if login.issuer is None:
        to.output.tell(tr("the API token itself is valid as before: `kubemin token revoke` ends it"))
        return
    from kubemin.cli.login.issuer import Issuer

    try:
        issuer = Issuer.at(login.issuer, plain=is_loopback(server))
        if not _revoke(login, issuer):
            to.output.tell(tr("the issuer takes back no tokens: what it gave ends by itself"))
        _leave(login, issuer, to)
    except KubeminError as error:
        complain(tr("warning: {what}", what=because(tr("the issuer could not be told"), error.message)))


def _leave(login: Login, issuer: "Issuer", to: Connection) -> None:
    """Have the issuer end its own session, and say where a browser does that: it may be logged in there still.

    The token is sent in a body: in an address it would be kept and shown.
    """
    address = issuer.endpoint("end_session_endpoint")
    if address is None:
        return
    asked = {"client_id": login.client_id or ""}
    told = with_query(address, asked)
    try:
        issuer.tell(address, dict(asked, id_token_hint=login.token) if login.presents == "id_token" else asked)
    finally:
        to.output.tell(tr("a browser may still be logged in at the issuer: {address} logs it out", address=told))


def _revoke(login: Login, issuer: "Issuer") -> bool:
    """Have the issuer end the refresh token, and what came of it (RFC 7009); false where it cannot."""
    address = issuer.endpoint("revocation_endpoint")
    if address is None or (login.refresh_token is None and login.presents != "access_token"):
        return False
    kind = "access_token" if login.refresh_token is None else "refresh_token"
    form = {"token": login.refresh_token or login.token, "token_type_hint": kind, "client_id": login.client_id or ""}
    issuer.tell(address, form)
    return True
