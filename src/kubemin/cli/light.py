"""Commands that only show something, without the parser, whose import takes longer than all else.

A command line in its common form is read here. Any other one is left to the parser, which knows all options, helps, and
says what is wrong.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from kubemin.cli.addressed import addressed
from kubemin.cli.connection import DEFAULT_SERVER, Connection
from kubemin.cli.output import Form, Output

_OPTIONS = {
    "--server": "server",
    "--token": "token",
    "-o": "form",
    "--output": "form",
    "--search": "search",
    "--cluster": "cluster",
}
_COMMANDS = {"apps": ({"server", "token", "form", "search", "cluster"}, 0), "status": ({"server", "token", "form"}, 1)}
"""By command: the options that are read here, and how many arguments it takes."""


def read(arguments: Sequence[str], environment: Mapping[str, str]) -> Callable[[], int | None] | None:
    """What runs the command, and returns its exit code, None for that of a success; None for any other form."""
    name = arguments[0] if arguments else ""
    if name not in _COMMANDS:
        return None
    options, count = _COMMANDS[name]
    given, named, quiet = dict[str, str](), list[str](), False
    rest = list(arguments[1:])
    while rest:
        word = rest.pop(0)
        if word in ("-q", "--quiet"):
            quiet = True
            continue
        if not word.startswith("-"):
            named.append(word)
            continue
        option, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if not equals:
            value = rest.pop(0) if rest else ""
        field = _OPTIONS.get(option)
        if field not in options or not value or value.startswith("-"):
            return None
        given[field] = value
    form = given.get("form")
    if len(named) != count or form not in (None, *Form):
        return None
    server = given.get("server") or environment.get("KUBEMIN_SERVER") or DEFAULT_SERVER
    token = given.get("token") or environment.get("KUBEMIN_TOKEN") or None
    to = Connection(server, token, Output(Form(form) if form else None, quiet))
    if name == "apps":
        return partial(_apps, to, given.get("search"), given.get("cluster"))
    task = addressed(named[0])
    return None if task is None else partial(_status, task, to)


def _apps(to: Connection, search: str | None, cluster: str | None) -> None:
    from kubemin.cli.reports import apps

    apps(to, search=search, cluster=cluster)


def _status(task: str, to: Connection) -> int:
    from kubemin.cli.reports import status

    return status(task, to, follow=False)
