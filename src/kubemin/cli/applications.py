"""The applications that a command is about, as they are sent: read, changed by ``--set``, filled in."""

import os
from collections.abc import Sequence
from dataclasses import replace

from kubemin.cli.files import Spec, read_specs
from kubemin.cli.filling import filled
from kubemin.cli.sets import apply_sets


def applications(
    names: Sequence[str],
    *,
    namespace: str | None = None,
    sets: Sequence[str] = (),
    name: str | None = None,
    cluster: str | None = None,
) -> list[Spec]:
    """Those in these files and folders, ready to be sent; see `read_specs`. Raises :class:`CliError`."""
    specs = read_specs(names, namespace, name, cluster)
    changed = [replace(spec, data=data) for spec, data in zip(specs, apply_sets(specs, sets), strict=True)]
    return [replace(spec, data=filled(spec, os.environ)) for spec in changed]
