"""The golden cases: inputs beside their outputs, and the shipped examples."""

from pathlib import Path

import yaml

from kubemin.cli.plan_text import describe
from kubemin.plan import make_plan
from kubemin.render import Rendered, render
from kubemin.spec.application import Application, parse_application
from kubemin.spec.limits import Grant, Limits

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
PLANS = Path(__file__).parents[1] / "plan" / "golden"

_SCRAPE = Grant(("",), ("nodes",), ("get",), ("/metrics",))
LIMITS = Limits(rbac_cluster=(_SCRAPE,), allow_rbac_namespaces="elsewhere", allow_probe_hosts="a.example")


def rendered_cases() -> dict[str, Path]:
    """Inputs whose manifests are kept, by name."""
    inputs = {path.name.removesuffix(".in.yaml"): path for path in sorted(GOLDEN.glob("*.in.yaml"))}
    return {**inputs, **_examples()}


def planned_cases() -> dict[str, Path]:
    """Inputs whose plans are kept, by name."""
    inputs = {path.name.removesuffix(".in.yaml"): path for path in sorted(PLANS.glob("*.in.yaml"))}
    return {**inputs, **_examples()}


def _examples() -> dict[str, Path]:
    return {f"example-{path.stem}": path for path in sorted((ROOT / "examples").glob("*.yaml"))}


def read(path: Path) -> Application:
    """The application in a file."""
    return parse_application(yaml.safe_load(path.read_text()), LIMITS)


def manifests(application: Application) -> list[Rendered]:
    """What the application renders to."""
    return render(application)


def golden_manifests(application: Application) -> str:
    """The manifests as YAML, each under a comment with what the engine is told beside it."""
    return "".join(f"---\n{_comment(item)}{_yaml(item)}" for item in manifests(application))


def golden_plan(application: Application) -> str:
    """The plan as text."""
    return describe(make_plan(application, manifests(application), application.steps(), concurrency=2))


def _comment(item: Rendered) -> str:
    notes = [f"component {item.component}"]
    notes += [f"share {item.share}"] if item.share else []
    notes += [f"fetch {item.fetch.url} into {item.fetch.key}"] if item.fetch else []
    notes += ["if there is none"] if item.if_absent else []
    return f"# {', '.join(notes)}\n"


def _yaml(item: Rendered) -> str:
    return yaml.dump(item.manifest, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)


class _Dumper(yaml.SafeDumper):
    """Writes a value that stands in two places twice, rather than as a reference."""

    def ignore_aliases(self, data: object) -> bool:
        return True
