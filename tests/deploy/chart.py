"""deploy/chart, rendered by Helm itself: `render` is `helm template`. Helm runs in a process of its own.

As a program it reads a list of values, and writes what becomes of each: texts by template, or what Helm says is wrong.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "chart"
RELEASE = "kubemin"
LEAST: Mapping[str, Any] = {"auth": {"secretName": "kubemin-auth"}}
"""The values that have to be given."""
_REMARK = 1

Json = dict[str, Any]


class Refused(Exception):
    """Helm refuses the values, and says why."""


def render(values: Mapping[str, Any] = LEAST, namespace: str = RELEASE) -> list[Json]:
    """The objects that an installation with these values consists of, hooks included. Raises `Refused`."""
    (answer,) = render_all([values], namespace)
    if isinstance(answer, Refused):
        raise answer
    return answer


def render_all(values: Sequence[Mapping[str, Any]], namespace: str = RELEASE) -> list[list[Json] | Refused]:
    """The same for many values at once, which starts Helm once."""
    answers = render_texts(values, namespace)
    return [answer if isinstance(answer, Refused) else objects_of(answer.values()) for answer in answers]


def render_texts(values: Sequence[Mapping[str, Any]], namespace: str = RELEASE) -> list[dict[str, str] | Refused]:
    """The same as the text of each template, by its file's name."""
    return [
        Refused(answer["refused"])
        if "refused" in answer
        else {name.rpartition("/")[2]: text for name, text in answer["texts"].items()}
        for answer in _ask(values, namespace)["answers"]
    ]


def lint() -> list[str]:
    """What `helm lint` finds, its mere remarks left out."""
    return [one["error"] for one in _ask([LEAST], RELEASE)["lint"] if one["severity"] > _REMARK]


def objects_of(texts: Iterable[str]) -> list[Json]:
    """The objects of YAML documents."""
    return [one for text in texts for one in yaml.safe_load_all(text) if one]


def _ask(values: Sequence[Mapping[str, Any]], namespace: str) -> Json:
    asked = json.dumps({"namespace": namespace, "values": list(values)})
    command = [sys.executable, "-m", "tests.deploy.chart"]
    done = subprocess.run(command, input=asked, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    answered: Json = json.loads(done.stdout)
    return answered


def main() -> None:
    """Answer what is on stdin."""
    import helm_python as helm

    asked = json.load(sys.stdin)
    answers = list[Json]()
    with helm.Chart.load(CHART) as chart:
        for values in asked["values"]:
            try:
                chart.validate_schema(values)
                texts = chart.render(values, name=RELEASE, namespace=asked["namespace"])
                answers.append({"texts": {name: text for name, text in texts.items() if name.endswith(".yaml")}})
            except helm.HelmError as error:
                answers.append({"refused": str(error)})
    json.dump({"answers": answers, "lint": helm.lint(CHART, dict(LEAST))["messages"]}, sys.stdout)


if __name__ == "__main__":
    main()
