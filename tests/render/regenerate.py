"""Write the golden files anew: ``python -m tests.render.regenerate``. Then read the diff before it is committed."""

import sys

from tests.render.cases import GOLDEN, PLANS, golden_manifests, golden_plan, planned_cases, read, rendered_cases


def main() -> None:
    """Write every golden file, and take away those without an input."""
    wanted = {GOLDEN / f"{name}.yaml": golden_manifests(read(path)) for name, path in rendered_cases().items()}
    wanted |= {PLANS / f"{name}.txt": golden_plan(read(path)) for name, path in planned_cases().items()}
    for path in (*GOLDEN.glob("*.yaml"), *PLANS.glob("*.txt")):
        if path not in wanted and not path.name.endswith(".in.yaml"):
            path.unlink()
    for path, text in wanted.items():
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
