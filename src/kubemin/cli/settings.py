"""Settings as the command line and the environment give them."""

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubemin.cli.exits import CliError, Exit
from kubemin.cli.language import because, tr
from kubemin.cli.output import complain

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
        name = "_".join(str(part) for part in first["loc"] or ("clusters",)).upper()  # they alone are checked together
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


def refuse_open_address(settings: "Settings") -> None:
    """Without authentication whoever reaches the port may do everything: only this machine may reach it.

    Also what identity needs is looked at. Raises :class:`CliError`.
    """
    host = settings.host
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback and not settings.authenticates:
        message = tr(
            "refusing to listen on {address}: no authentication is configured (KUBEMIN_AUTH=token), so only loopback "
            "addresses (127.0.0.1, ::1, localhost) are allowed",
            address=host or tr("every address"),
        )
        raise CliError(message, Exit.USAGE)
    _refuse_to_act_as_nobody(settings)
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise CliError(tr("KUBEMIN_TLS_CERTIFICATE and KUBEMIN_TLS_KEY go together"), Exit.USAGE)
    _refuse_unusable_certificate(settings)
    if settings.oidc_issuer is not None and not settings.audiences:
        message = tr(
            "KUBEMIN_OIDC_ISSUER needs KUBEMIN_OIDC_CLIENT_ID or KUBEMIN_OIDC_AUDIENCE: whom tokens must be for"
        )
        raise CliError(message, Exit.USAGE)
    if not loopback and settings.tls_certificate is None:
        complain(
            tr(
                "warning: {address} is open and without TLS: tokens can be read on the way, unless a proxy before it "
                "speaks HTTPS and nothing else reaches it (KUBEMIN_TLS_CERTIFICATE)",
                address=host or tr("every address"),
            )
        )


def _refuse_to_act_as_nobody(settings: "Settings") -> None:
    """Raise :class:`CliError` where it is to be done as whoever asks, and nobody has to say who they are."""
    if not settings.authenticates and (clusters := sorted(settings.namings)):
        message = tr(
            "KUBEMIN_IMPERSONATION=caller (cluster {clusters}) needs authentication (KUBEMIN_AUTH=token or "
            "KUBEMIN_OIDC_ISSUER): without it nobody says who asks",
            clusters=", ".join(clusters),
        )
        raise CliError(message, Exit.USAGE)


def tls_of(settings: "Settings") -> tuple[str, str] | None:
    """The files of the server's certificate and its key; None where it speaks plain HTTP."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    return settings.tls_certificate, settings.tls_key


def _refuse_unusable_certificate(settings: "Settings") -> None:
    if (files := tls_of(settings)) is None:
        return
    import ssl

    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(*files)
    except (OSError, ValueError) as error:  # also ssl.SSLError
        why = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        raise CliError(
            because(tr("KUBEMIN_TLS_CERTIFICATE and KUBEMIN_TLS_KEY cannot be used"), why), Exit.USAGE
        ) from error


def refuse_no_console(directory: str | None) -> None:
    """Raise :class:`CliError` where the directory of the web console holds no build of one."""
    if directory is not None and not (Path(directory) / "index.html").is_file():
        message = tr("there is no index.html in {folder}: --console takes the built files", folder=directory)
        raise CliError(message, Exit.USAGE)
