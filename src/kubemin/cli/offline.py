"""``try`` and ``plan``: what can be said of a file without a server."""

import copy
from typing import Any

from kubemin.cli.exits import CliError, Exit
from kubemin.cli.files import display_name, load
from kubemin.cli.output import print_json, say


def check(file: str, *, as_json: bool) -> int:
    """Say whether the application would be accepted, and everything that is wrong with it."""
    from kubemin.cli.settings import limits
    from kubemin.spec.application import parse_application
    from kubemin.spec.issues import SpecError
    from kubemin.spec.warnings import warnings_of

    issues: list[dict[str, str]] = []
    warnings: list[dict[str, str]] = []
    try:
        warnings = [warning.to_json() for warning in warnings_of(parse_application(load(file), limits()))]
    except SpecError as error:
        issues = [issue.to_json() for issue in error.issues]
    if as_json:
        print_json({"valid": not issues, "errors": issues, "warnings": warnings})
    elif not issues:
        say(f"{display_name(file)}: valid")
    for warning in [] if as_json else warnings:
        say(f"warning: {warning['field']}: {warning['message']}")
    for issue in [] if as_json else issues:
        message = issue["message"] if issue["field"] in issue["message"] else f"{issue['field']}: {issue['message']}"
        say(f"{issue['code']}  {message}")
    return Exit.FAILED if issues else Exit.OK


def show_plan(file: str, *, as_json: bool) -> int:
    """Show the stages in order, each with its jobs. Values of Secrets are masked."""
    from kubemin.cli.settings import limits, settings_of
    from kubemin.plan import describe, make_plan
    from kubemin.render import render
    from kubemin.spec.application import parse_application
    from kubemin.spec.config import MASK
    from kubemin.spec.issues import SpecError
    from kubemin.spec.warnings import warnings_of

    try:
        application = parse_application(load(file), limits())
    except SpecError as error:
        raise CliError(f"{display_name(file)}: {error}") from error
    rendered = render(application)
    concurrency = settings_of().sequential_max_concurrency
    plan = make_plan(application, rendered, application.workflow or [], concurrency=concurrency)
    if as_json:
        print_json(_masked(plan.to_json(), MASK))
    else:
        say(describe(plan).rstrip())
        for warning in warnings_of(application):
            say(f"warning: {warning.field}: {warning.message}")
    return Exit.OK


def _masked(value: Any, mask: str) -> Any:
    """The JSON with the values of every Secret manifest in it masked."""
    if isinstance(value, list):
        return [_masked(item, mask) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("kind") == "Secret" and "metadata" in value:
        value = copy.copy(value)
        for name in ("data", "stringData"):
            if name in value:
                value[name] = dict.fromkeys(value[name], mask)
        return value
    return {key: _masked(item, mask) for key, item in value.items()}
