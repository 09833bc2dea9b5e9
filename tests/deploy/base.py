"""`make base`: deploy/kustomize/ is the chart as Helm renders it with its values.yaml, without Helm's labels."""

import re
from collections.abc import Mapping

import yaml

from tests.deploy.chart import ROOT, Refused, render_texts

FOLDER = ROOT / "deploy" / "kustomize"
VALUES = yaml.safe_load((FOLDER / "values.yaml").read_text())
_HEAD = "# made from deploy/chart by `make base`\n"
OF_HELM = re.compile(r"^ *(app\.kubernetes\.io/managed-by|helm\.sh/chart): .*\n", re.MULTILINE)


def files() -> Mapping[str, str]:
    """What the made files are to hold, by name."""
    (rendered,) = render_texts([VALUES])
    if isinstance(rendered, Refused):
        raise rendered
    texts = {name: OF_HELM.sub("", text).strip().removeprefix("---\n") for name, text in rendered.items()}
    return {name: f"{_HEAD}{_without_blank_lines(text)}\n" for name, text in texts.items() if text}


def _without_blank_lines(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())


def main() -> None:
    """Write them."""
    for name, text in files().items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
