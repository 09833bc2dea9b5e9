"""``try`` and ``plan``: what can be said of a file without a server."""

import copy
from typing import TYPE_CHECKING, Any

from kubemin.cli.apply_options import Wanted
from kubemin.cli.exits import Exit
from kubemin.cli.files import Spec
from kubemin.cli.language import because, tr
from kubemin.cli.mistakes import Mistakes, located, mistake, warning
from kubemin.cli.output import Output, say
from kubemin.spec.states import Way

if TYPE_CHECKING:
    from kubemin.plan import Plan
    from kubemin.spec.application import Application


def check(wanted: Wanted, output: Output) -> int:
    """Say whether the applications would be accepted, and everything that is wrong with them."""
    from kubemin.cli.settings import limits
    from kubemin.spec.application import parse_application
    from kubemin.spec.issues import SpecError
    from kubemin.spec.warnings import warnings_of

    found: list[dict[str, Any]] = []
    names: list[str] = []
    valid: list[str] = []
    for spec in wanted.applications():
        issues: list[dict[str, Any]] = []
        warnings: list[dict[str, Any]] = []
        try:
            warnings = [located(spec, one.to_json()) for one in warnings_of(parse_application(spec.data, limits()))]
        except SpecError as error:
            issues = [located(spec, one.to_json()) for one in error.issues]
        found.append({"valid": not issues, "errors": issues, "warnings": warnings})
        names.append(spec.name)
        valid += [] if issues else [spec.name]
        if not output.is_data:
            _print_check(spec, found[-1], output)
    several = [{"application": name, **one} for name, one in zip(names, found, strict=True)]
    output.printed(found[0] if len(found) == 1 else {"applications": several}, valid)
    return Exit.OK if all(one["valid"] for one in found) else Exit.FAILED


def _print_check(spec: Spec, found: dict[str, Any], output: Output) -> None:
    if found["valid"]:
        output.tell(because(spec.where, tr("valid")))
    for one in found["warnings"]:
        say(warning(spec, one))
    for one in found["errors"]:
        say(mistake(spec, one))


def show_plan(wanted: Wanted, output: Output, strategy: Way | None = None) -> int:
    """Show the stages in order, each with its jobs. Values of Secrets are masked."""
    specs = wanted.applications()
    read = [_read(spec, strategy) for spec in specs]
    plans = [_plan(application) for application in read]
    if output.is_data:
        from kubemin.cli.settings import limits
        from kubemin.spec.config import MASK

        whole = [{"application": spec.name, **plan.to_json()} for spec, plan in zip(specs, plans, strict=True)]
        data = plans[0].to_json() if len(plans) == 1 else {"applications": whole}
        output.printed(
            _masked(data, MASK, guess=limits().guess_secrets), [job.ref for plan in plans for job in plan.jobs]
        )
        return Exit.OK
    from kubemin.cli.plan_text import describe
    from kubemin.spec.warnings import warnings_of

    for spec, application, plan in zip(specs, read, plans, strict=True):
        if len(plans) > 1:
            say(tr("application {name}", name=spec.name))
        say(describe(plan).rstrip())
        for one in warnings_of(application):
            say(warning(spec, one.to_json()))
    return Exit.OK


def _read(spec: Spec, strategy: Way | None = None) -> "Application":
    from kubemin.cli.settings import limits
    from kubemin.spec.application import as_run, parse_application
    from kubemin.spec.issues import SpecError
    from kubemin.spec.strategy import StrategySpec

    try:
        application = parse_application(spec.data, limits())
        return as_run(
            application, StrategySpec.model_validate({"type": strategy.value}) if strategy else None, limits()
        )
    except SpecError as error:
        raise Mistakes(spec, [one.to_json() for one in error.issues]) from error


def _plan(application: "Application") -> "Plan":
    from kubemin.cli.settings import settings_of
    from kubemin.plan import make_plan
    from kubemin.render import render

    settings = settings_of()
    concurrency, rules = settings.sequential_max_concurrency, settings.rules
    steps = application.workflow or []
    return make_plan(application, render(application), steps, concurrency=concurrency, rules=rules)


def _masked(value: Any, mask: str, *, guess: bool) -> Any:
    """The JSON with the values of every Secret manifest in it masked, and those of sensitive variables."""
    from kubemin.spec.sensitive import SensitiveEnv, masked_settings

    if isinstance(value, list):
        return [_masked(item, mask, guess=guess) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("kind") == "Secret" and "metadata" in value:
        value = copy.copy(value)
        for name in ("data", "stringData"):
            if name in value:
                value[name] = dict.fromkeys(value[name], mask)
        return value
    if guess and value.get("kind") == "ConfigMap" and "metadata" in value:
        return {**value, **({"data": masked_settings(value["data"], mask)} if "data" in value else {})}
    if "kind" in value and "metadata" in value:
        return SensitiveEnv(value, guess=guess).masked(value, mask)
    return {key: _masked(item, mask, guess=guess) for key, item in value.items()}
