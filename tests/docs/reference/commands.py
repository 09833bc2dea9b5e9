"""The page of the commands."""

from typing import Any

import typer

from kubemin.cli.app import app
from tests.docs.reference.markdown import code, page, prose, table


def cli() -> str:
    """Each command, its arguments and options."""
    top: Any = typer.main.get_command(app)
    parts = [
        "How commands wait, what they take and print, and several applications at once:"
        " [The command line](../cli.md). Exit codes: [Codes](codes.md#exit-codes).",
        table(
            ("command", ""),
            [(f"[`kubemin {name}`](#kubemin-{name})", _summary(one)) for name, one in sorted(top.commands.items())],
        ),
    ]
    for name, command in sorted(top.commands.items()):
        parts += _command(name, command)
        for below, one in getattr(command, "commands", {}).items():
            parts += _command(f"{name} {below}", one)
    return page("Commands", *parts)


def _summary(command: Any) -> str:
    return prose(command.help).partition("\n\n")[0]


def _command(path: str, command: Any) -> list[str]:
    context = command.make_context(f"kubemin {path}", [], resilient_parsing=True)
    usage = " ".join([f"kubemin {path}", *command.collect_usage_pieces(context)])
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    rows = [(code(one.metavar or one.name), prose(one.help)) for one in arguments]
    rows += [(code(record[0]), prose(record[1])) for one in command.params if (record := _record(one, context))]
    return [f"## kubemin {path}", f"```text\n{usage}\n```", prose(command.help), table(("", ""), rows)]


def _record(parameter: Any, context: Any) -> tuple[str, str] | None:
    """How an option is spelled, and what it means, as ``--help`` shows it."""
    if parameter.param_type_name != "option":
        return None
    record: tuple[str, str] | None = parameter.get_help_record(context)
    return record
