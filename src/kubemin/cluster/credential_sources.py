"""Where address and credentials of the API server come from: a kubeconfig, the Pod's service account, or a plain URL.

kubernetes-asyncio reads the configuration and runs exec, OIDC and GCP plugins. This module adds what it lacks: when to
read again, and impersonation.
"""

import datetime
import ipaddress
import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import yaml

from kubemin.cluster.credentials import Access, Headers, Source
from kubemin.cluster.errors import Misconfigured
from kubemin.cluster.kubernetes_library import import_without_client

_FILE_SECONDS = 60.0  # a rotated token or certificate file is noticed within this time, as client-go does
_SKEW_SECONDS = 300.0  # a token is renewed this long before it expires, or at half of a shorter life
_SERVICE_ACCOUNT_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105 - a path
_FAULTS = (OSError, ValueError, KeyError, TypeError, AttributeError, AssertionError, RuntimeError)
"""What kubernetes-asyncio raises if a kubeconfig lacks something, or a plugin fails."""


class PlainSource:
    """A server that needs no credentials."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def read(self) -> Access:
        """Check the URL."""
        if urlsplit(self._url).scheme not in {"http", "https"} or not urlsplit(self._url).netloc:
            raise Misconfigured(f"{self._url!r} is not an http(s) URL of an API server.")
        return Access(
            self._url.rstrip("/"),
            (),
            tls=True,
            origin="nobody: it is addressed by a plain URL",
            advice="name a kubeconfig in KUBEMIN_KUBECONFIG",
        )


class InClusterSource:
    """The service account of the Pod in which we run. The kubelet renews its token file."""

    def __init__(self) -> None:
        self._tls = _TlsCache()

    async def read(self) -> Access:
        """Read host, CA and token."""
        import_without_client()
        from kubernetes_asyncio.client import Configuration
        from kubernetes_asyncio.config import ConfigException, load_incluster_config

        load: Any = load_incluster_config
        configuration = Configuration()
        try:
            load(client_configuration=configuration, try_refresh_token=False)
            return replace(_access(configuration, self._tls, _POD), fresh=_FILE_SECONDS, from_file=True)
        except (ConfigException, OSError, ValueError) as error:
            raise Misconfigured(f"The Pod's service account cannot be used: {error}") from error


class KubeconfigSource:
    """A kubeconfig: one path, several joined by the path separator, or None for the default place."""

    def __init__(self, paths: str | None, context: str | None) -> None:
        self._paths = paths
        self._context = context
        self._tls = _TlsCache()

    async def read(self) -> Access:
        """Read the files, and run the exec, OIDC or GCP plugin that they name."""
        import_without_client()
        from kubernetes_asyncio.client import Configuration
        from kubernetes_asyncio.config import ConfigException
        from kubernetes_asyncio.config.kube_config import (
            KUBE_CONFIG_DEFAULT_LOCATION,
            KubeConfigLoader,
            KubeConfigMerger,
        )

        paths = self._paths or KUBE_CONFIG_DEFAULT_LOCATION
        try:
            files: Any = KubeConfigMerger(paths)
            if files.config is None:
                raise Misconfigured(f"There is no kubeconfig at {paths}.")
            loader: Any = KubeConfigLoader(
                files.config,
                active_context=self._context,
                config_base_path=None,
                config_persister=files.save_changes,  # a rotated OIDC refresh token must not get lost
            )
            configuration = Configuration()
            await loader.load_and_set(configuration)
            user = _user_of(files.config, loader.current_context)
            origin = _origin(paths, user, loader.current_context)
            access = _access(configuration, self._tls, origin, _impersonation(user))
            # A plugin runs a program, or asks a server on the network.
            from_file = not user.get("exec") and not user.get("auth-provider")
            return replace(access, fresh=_freshness(user, loader), from_file=from_file)
        except (ConfigException, yaml.YAMLError, aiohttp.ClientError, *_FAULTS) as error:
            which = f", context {self._context}" if self._context else ""
            raise Misconfigured(f"The kubeconfig {paths}{which} cannot be used: {error}") from error


def choose_source(*, kubeconfig: str | None, context: str | None, url: str | None, in_cluster: bool = False) -> Source:
    """The first one that is given: the URL, the named kubeconfig, the Pod's service account, the default kubeconfig."""
    if url:
        return PlainSource(url)
    if in_cluster:
        return InClusterSource()
    if kubeconfig is None and context is None and Path(_SERVICE_ACCOUNT_TOKEN).is_file():
        return InClusterSource()
    return KubeconfigSource(kubeconfig, context)


class _TlsCache:
    """Makes a new TLS context only when its files have changed: connections are reused only with the same context."""

    def __init__(self) -> None:
        self._made_of: tuple[object, ...] = ()
        self._context: ssl.SSLContext | None = None

    def context(self, configuration: Any) -> ssl.SSLContext:
        files = (configuration.ssl_ca_cert, configuration.cert_file, configuration.key_file)
        made_of = (configuration.verify_ssl, *(Path(file).read_bytes() if file else None for file in files))
        if self._context is None or made_of != self._made_of:
            context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
            # From Python 3.13 on the default check is stricter than kubectl's, and most clusters' own CAs
            # would fail it.
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            if configuration.cert_file:
                context.load_cert_chain(configuration.cert_file, keyfile=configuration.key_file)
            if not configuration.verify_ssl:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            self._context, self._made_of = context, made_of
        return self._context


_POD = (
    f"the Pod's service account ({_SERVICE_ACCOUNT_TOKEN})",
    "look whether the ServiceAccount is still there, and start the Pod anew",
)


def _origin(paths: str, user: Mapping[str, Any], current_context: Any) -> tuple[str, str]:
    """Whose credentials a kubeconfig gives, and what to do where they are refused."""
    name = (current_context or {}).get("context", {}).get("user") or "nobody"
    whose = f"user {name!r} in the kubeconfig {paths}"
    if plugin := (user.get("exec") or {}).get("command"):
        return f"{whose} (from the plugin {plugin})", "log in again, so that the plugin gives a token that is valid"
    if path := user.get("tokenFile"):
        return f"{whose} (from the file {path})", "write a valid token to the file"
    if user.get("client-certificate") or user.get("client-certificate-data"):
        return f"{whose} (a client certificate)", "look whether the certificate has expired, and put a new one there"
    return whose, "put credentials there that are valid"


def _access(configuration: Any, tls: _TlsCache, origin: tuple[str, str], headers: Headers = ()) -> Access:
    host = str(configuration.host).rstrip("/")
    token = configuration.api_key.get("BearerToken")
    if token:
        # A token file may end with a newline, which is not part of the token and not allowed in a header.
        headers = (("Authorization", str(token).strip()), *headers)
    if not all(value.isprintable() for _, value in headers):
        raise ValueError("the token or the name of the user holds control characters")
    return Access(
        host,
        headers,
        tls=tls.context(configuration) if host.startswith("https:") else True,
        server_name=configuration.tls_server_name or None,
        proxy=configuration.proxy or _environment_proxy(host),
        origin=origin[0],
        advice=origin[1],
    )


def _environment_proxy(host: str) -> str | None:
    """The proxy from HTTPS_PROXY and NO_PROXY, as kubectl reads them; None for an address of this machine."""
    parts = urlsplit(host)
    if not parts.hostname or _is_loopback(parts.hostname) or urllib.request.proxy_bypass(parts.netloc):
        return None
    return urllib.request.getproxies().get(parts.scheme)


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def _user_of(config: Any, current_context: Any) -> Mapping[str, Any]:
    name = (current_context or {}).get("context", {}).get("user")
    entry = config["users"].get_with_name(name, safe=True) if name and config.safe_get("users") else None
    found = entry.safe_get("user") if entry is not None else None
    return found if isinstance(found, Mapping) else {}


def _impersonation(user: Mapping[str, Any]) -> Headers:
    """``as``, ``as-uid``, ``as-groups`` and ``as-user-extra``, which kubernetes-asyncio ignores."""
    extra = user.get("as-user-extra") or {}
    return (
        *((("Impersonate-User", str(user["as"])),) if user.get("as") else ()),
        *((("Impersonate-Uid", str(user["as-uid"])),) if user.get("as-uid") else ()),
        *(("Impersonate-Group", str(group)) for group in user.get("as-groups") or ()),
        *((f"Impersonate-Extra-{quote(str(key), safe='')}", str(v)) for key, values in extra.items() for v in values),
    )


def _freshness(user: Mapping[str, Any], loader: Any) -> float | None:
    """Seconds until the credentials are read again. If a plugin gives no expiry, only after a 401."""
    if not user.get("exec"):
        return _FILE_SECONDS
    expiry = getattr(loader, "exec_plugin_expiry", None)
    if expiry is None:
        return None
    left = float((expiry - datetime.datetime.now(datetime.UTC)).total_seconds())
    return max(left - _SKEW_SECONDS, left / 2, 1.0)
