"""Settings as the command line and the environment give them."""

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubemin.cli.exits import CliError, Exit
from kubemin.cli.language import because, tr

if TYPE_CHECKING:
    from kubemin.settings import Settings
    from kubemin.spec.limits import Limits


_POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
"""In a Pod, Kubernetes writes here in which namespace it runs."""


def settings_of(**options: Any) -> "Settings":
    """The environment's settings, with those options over them that were given. Raises :class:`CliError`."""
    from pydantic import ValidationError

    from kubemin.settings import Settings

    given: dict[str, Any] = {name: str(value) if isinstance(value, Path) else value for name, value in options.items()}
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        setting = tr("setting {name}", name=f"KUBEMIN_{name}")
        raise CliError(because(setting, first["msg"]), Exit.USAGE) from error


def limits(settings: "Settings | None" = None) -> "Limits":
    """What the settings allow an application to ask for."""
    from kubemin.spec.limits import Limits

    settings = settings or settings_of()
    limits = Limits.of(settings)
    if "own_namespace" in settings.model_fields_set or not _POD_NAMESPACE.exists():
        return limits
    return limits.model_copy(update={"own_namespace": _POD_NAMESPACE.read_text().strip()})


def refuse_open_address(host: str) -> None:
    """Without authentication whoever reaches the port may do everything: only this machine may reach it.

    Raises :class:`CliError`.
    """
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        message = tr(
            "refusing to listen on {address}: no authentication is configured, so only loopback addresses "
            "(127.0.0.1, ::1, localhost) are allowed",
            address=host or tr("every address"),
        )
        raise CliError(message, Exit.USAGE)


def refuse_no_console(directory: str | None) -> None:
    """Raise :class:`CliError` where the directory of the web console holds no build of one."""
    if directory is not None and not (Path(directory) / "index.html").is_file():
        message = tr("there is no index.html in {folder}: --console takes the built files", folder=directory)
        raise CliError(message, Exit.USAGE)
