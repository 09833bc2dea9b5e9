"""``kubemin logout``: what is kept is forgotten, and the issuer is told."""

from kubemin.cli.connection import Connection
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.language import because, tr
from kubemin.cli.login.origins import is_loopback, origin_of
from kubemin.cli.login.stored import Login, logins
from kubemin.cli.output import complain
from kubemin.client.errors import KubeminError


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
    try:
        revoked = _revoke(login, plain=is_loopback(server))
    except KubeminError as error:
        complain(tr("warning: {what}", what=because(tr("the issuer could not be told"), error.message)))
    else:
        if not revoked:
            to.output.tell(tr("the issuer takes back no tokens: what it gave ends by itself"))


def _revoke(login: Login, *, plain: bool) -> bool:
    """Have the issuer end the refresh token, and what came of it (RFC 7009); false where it cannot."""
    from kubemin.cli.login.issuer import Issuer

    issuer = Issuer.at(login.issuer or "", plain=plain)
    address = issuer.endpoint("revocation_endpoint")
    if address is None or (login.refresh_token is None and login.presents != "access_token"):
        return False
    kind = "access_token" if login.refresh_token is None else "refresh_token"
    form = {"token": login.refresh_token or login.token, "token_type_hint": kind, "client_id": login.client_id or ""}
    issuer.post(address, form)
    return True
