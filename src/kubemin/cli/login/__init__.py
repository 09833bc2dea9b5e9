"""Logins of the command line: how one begins, where it is kept, and how it is renewed.

Most commands only look whether there are any. What a login itself needs is imported when there is one to make or to
renew.
"""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubemin.cli.login.renewing import Renewing


def path() -> str:
    """The file in which this person's are kept: in ``$XDG_CONFIG_HOME``, or ``~/.config``."""
    given = os.environ.get("XDG_CONFIG_HOME", "")
    folder = given if os.path.isabs(given) else os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(folder, "kubemin", "credentials.json")


def kept_for(server: str) -> "Renewing | None":
    """The login that is kept for a server; None where there is none. Raises `CliError`."""
    if not os.path.lexists(path()):
        return None
    from kubemin.cli.login.renewing import kept_for

    return kept_for(server)
