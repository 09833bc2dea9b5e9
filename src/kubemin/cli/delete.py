"""``kubemin delete``."""

from collections.abc import Mapping
from typing import Any

from kubemin.cli.apply import followed
from kubemin.cli.asking import confirm, is_asked
from kubemin.cli.connection import Connection
from kubemin.cli.exits import Exit
from kubemin.cli.interrupts import OnSignal, patience, seeing_it_through
from kubemin.cli.language import key, tr
from kubemin.cli.output import say

_FATES = (
    ("removes", key("to delete")),
    ("releases", key("to release: it stays, without KubeMin's labels")),
    ("passes", key("to pass to another application, which uses it")),
    ("keeps", key("to keep: holds data")),
)


def delete(
    name: str,
    to: Connection,
    *,
    keep_resources: bool,
    delete_volumes: bool,
    dry_run: bool,
    yes: bool,
    wait: OnSignal | None,
) -> int:
    """Delete an application, named as addresses have it.

    Whoever sits at a terminal sees what would become of each object, and is asked.
    """
    asks = is_asked(to.output, yes=yes or dry_run, instead=tr("give --yes to delete what --dry-run -o json lists"))
    with to.client() as client:
        app_id = client.application(name)["id"]
        goes: Mapping[str, Any] = client.preview_delete(
            app_id, keep_resources=keep_resources, delete_volumes=delete_volumes
        )
        if dry_run:
            if not to.output.printed(goes, [one for field, _ in _FATES for one in goes[field]]):
                _print_fates(goes)
            return Exit.OK
        if to.output.is_chatty or asks:
            _print_fates(goes)
        if asks and not confirm(tr("Delete application {name}?", name=name.replace("~", "/"))):
            say(tr("nothing was deleted"))
            return Exit.OK
        with seeing_it_through(wait) as interrupts:
            made = client.delete(
                app_id, keep_resources=keep_resources, delete_volumes=delete_volumes, patience=patience()
            )
            return followed(client, made, to.output, interrupts)


def _print_fates(goes: Mapping[str, Any]) -> None:
    for field, said in _FATES:
        for name in goes[field]:
            say(f"{name}  {tr(said)}")
