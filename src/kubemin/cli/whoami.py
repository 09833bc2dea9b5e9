"""``kubemin whoami``: who one is to the server, and what one may."""

from typing import TYPE_CHECKING

from kubemin.cli.connection import Connection
from kubemin.cli.language import key, tr
from kubemin.cli.output import Output, moment, say
from kubemin.cli.tokens import granted
from kubemin.spec.characters import visible

if TYPE_CHECKING:
    from kubemin.client.replies import ActingAs, Whoami

_HOW = {
    "none": key("{name}: this server asks nobody who they are"),
    "token": key("{name}, by an API token"),
    "oidc": key("{name}, by a login at the issuer"),
    "session": key("{name}, by a session"),
}


def whoami(to: Connection) -> None:
    """Ask the server."""
    with to.client() as client:
        tell(client.whoami(), to.output)


def tell(one: "Whoami", output: Output) -> None:
    """Who somebody is: the name alone where nothing else is wanted."""
    if output.printed(one, [one["name"]]):
        return
    if output.quiet:
        say(visible(one["name"]))
        return
    say(tr(_HOW[one["how"]], name=visible(one["name"])))
    if one.get("expires"):
        say(tr("  until:  {time}", time=moment(one.get("expires"))))
    if one["groups"]:
        say(tr("  groups: {groups}", groups=visible(", ".join(one["groups"]))))
    for acting in one.get("actingAs", ()):
        say(_acting(acting))
    for number, grant in enumerate(one["grants"]):
        say(tr("  may:    {grant}", grant=granted(grant)) if number == 0 else f"          {granted(grant)}")
    if not one["grants"]:
        say(tr("  may nothing: no role is given to this name or to its groups"))


def _acting(one: "ActingAs") -> str:
    cluster, user = visible(one["cluster"]), one.get("user")
    if user is None:
        why = visible(one.get("refused", ""))
        return tr("  in cluster {cluster}: nothing is done, {why}", cluster=cluster, why=why)
    if not one["groups"]:
        return tr("  in cluster {cluster}: acts as {user}", cluster=cluster, user=visible(user))
    groups = visible(", ".join(one["groups"]))
    return tr("  in cluster {cluster}: acts as {user} ({groups})", cluster=cluster, user=visible(user), groups=groups)
