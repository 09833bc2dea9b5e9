"""The command ``kubesim``: a simulated cluster in a process of its own."""

import asyncio
import math
import signal
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Sequence
from pathlib import Path

from kubesim import __version__
from kubesim.controllers import Injected, Operator, Pace
from kubesim.kubeconfig import write_private
from kubesim.server import SimServer

_STOPS = (signal.SIGINT, signal.SIGTERM)


class ServeError(Exception):
    """The cluster could not be served: a port that is taken, a file that cannot be written. Says so in a sentence."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``kubesim …``. Exits with 2 if the command line is wrong, with 1 if it cannot serve."""
    options = parser().parse_args(arguments)
    try:
        run(_server(options), options.kubeconfig_out)
    except ServeError as error:
        sys.exit(f"kubesim: {error}")


def run(server: SimServer, kubeconfig_out: Path | None = None) -> None:
    """Serve until SIGINT or SIGTERM. The kubeconfig goes to the file, or to stdout. Raises :class:`ServeError`."""
    try:
        asyncio.run(_serve(server, kubeconfig_out))
    except OSError as error:
        raise ServeError(f"cannot serve: {error.filename or server.host}: {error.strerror or error}") from error


def parser() -> ArgumentParser:
    """The options."""
    made = ArgumentParser(
        prog="kubesim",
        description="A simulated Kubernetes cluster that kubectl and other clients can talk to, until Ctrl-C.",
    )
    add = made.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    add("--port", type=_port, default=0, help="port to listen on (default: any free one)")
    add("--kubeconfig-out", type=Path, metavar="FILE", help="write the kubeconfig to FILE, not to stdout")
    add("--speed", type=_number(above_zero=True), default=1.0, metavar="N",
        help="divide by N the times that controllers and Pods take (default: 1)")  # fmt: skip
    add("--authorize", action="store_true", help="enforce RBAC; the kubeconfig is the administrator's")
    add("--inject", type=_injected, action="append", default=[], metavar="NAME/KEY=VALUE",
        help="put a ConfigMap with this entry into every Namespace soon after its creation")  # fmt: skip
    add("--collector-delay", type=_number(above_zero=False), metavar="SECONDS",
        help="let the garbage collector take so long for each object, at speed 1")  # fmt: skip
    add("--definition-delay", type=_number(above_zero=False), default=0.2, metavar="SECONDS",
        help="let so long go by, at speed 1, before a CustomResourceDefinition is served (default: 0.2)")  # fmt: skip
    add("--operator", type=_operator, action="append", default=[], metavar="PLURAL.GROUP[=SECONDS]",
        help="let the objects of this custom resource become ready after so many seconds (default: 1)")  # fmt: skip
    add("--version", action="version", version=f"kubesim {__version__}")
    return made


def _server(options: Namespace) -> SimServer:
    inject: dict[str, dict[str, str]] = {}
    for name, key, value in options.inject:
        inject.setdefault(name, {})[key] = value
    injected: Injected = inject
    delay = options.collector_delay
    return SimServer(
        options.host,
        options.port,
        speed=options.speed,
        authorize=options.authorize,
        inject=injected,
        collector=None if delay is None else Pace(delay),
        definition_delay=options.definition_delay,
        operators=options.operator,
    )


async def _serve(server: SimServer, kubeconfig_out: Path | None) -> None:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in _STOPS:
        loop.add_signal_handler(number, stopping.set)
    async with server:
        if kubeconfig_out is None:
            sys.stdout.write(server.kubeconfig())
            sys.stdout.flush()
        else:
            write_private(kubeconfig_out, server.kubeconfig())
        sys.stderr.write(f"simulated cluster at {server.url}\n")
        sys.stderr.flush()
        await stopping.wait()
        # From now on a signal has its usual effect: who presses Ctrl-C twice does not want to wait.
        for number in _STOPS:
            loop.remove_signal_handler(number)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise ArgumentTypeError(f"{text!r} is not a port: a number from 0 to 65535")
    return int(text)


def _number(*, above_zero: bool) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or value < 0 or (above_zero and value == 0):
            raise ArgumentTypeError(f"{text!r} is not a number {'above 0' if above_zero else 'of 0 or more'}")
        return value

    return parse


def _injected(text: str) -> tuple[str, str, str]:
    name, slash, entry = text.partition("/")
    key, equals, value = entry.partition("=")
    if not (name and slash and key and equals):
        raise ArgumentTypeError(f"{text!r} is not NAME/KEY=VALUE")
    return name, key, value


def _operator(text: str) -> Operator:
    resource, equals, seconds = text.partition("=")
    if "." not in resource:
        raise ArgumentTypeError(f"{text!r} is not PLURAL.GROUP or PLURAL.GROUP=SECONDS")
    return Operator(resource, _number(above_zero=False)(seconds)) if equals else Operator(resource)
