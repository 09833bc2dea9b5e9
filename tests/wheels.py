"""`make wheels`: both wheels, built and installed into empty environments: kubesim alone, kubemin alone, and together.

The tests run on editable installs. What only a wheel can lack is found here: a file, a dependency, an entry point.
"""

import re
import subprocess
import sys
import venv
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

ROOT = Path(__file__).parents[1]
SERVER_EXTRAS = ("postgresql", "mysql", "fast", "otel")
"""All that a server may need; `sim` is for trying."""
_SECONDS = 300


class Environment:
    """An empty virtual environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder)

    def install(self, *wanted: str) -> None:
        """Install these and what they need, in the versions that the tests run with."""
        constraints = self.folder / "constraints.txt"
        constraints.write_text(_versions())
        pip = [sys.executable, "-m", "pip", "--python", str(self.folder / "bin" / "python")]
        options = ["--quiet", "--no-compile", "--constraint", str(constraints)]
        subprocess.run([*pip, "install", *options, *wanted], check=True, timeout=_SECONDS)
        subprocess.run([*pip, "check"], check=True, timeout=_SECONDS, stdout=subprocess.DEVNULL)

    def __call__(self, program: str, *arguments: str, code: int = 0) -> str:
        """What a program of it prints, that must end with this exit code."""
        command = [str(self.folder / "bin" / program), *arguments]
        run = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=_SECONDS, check=False)
        said = run.stdout + run.stderr
        assert run.returncode == code, f"{' '.join(command)} exits with {run.returncode}: {said}"
        return said


def _versions() -> str:
    """What constraints.txt says, without the hashes: there are none of what was built a moment ago."""
    text = (ROOT / "constraints.txt").read_text()
    return "".join(f"{line}\n" for line in re.findall(r"^[^\s#][^\\\n]*", text, re.MULTILINE))


def build(folder: Path) -> tuple[Path, Path]:
    """The wheels of kubesim and of kubemin."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(folder),
    ]
    subprocess.run([*command, str(ROOT / "kubesim"), str(ROOT)], check=True, timeout=_SECONDS)
    (kubesim,) = folder.glob("kubesim-*.whl")
    (kubemin,) = folder.glob("kubemin-*.whl")
    for wheel in (kubesim, kubemin):
        names = {name.rpartition("/")[2] for name in ZipFile(wheel).namelist()}
        assert {"LICENSE", "py.typed"} <= names, f"{wheel.name} holds {sorted(names)}"
    return kubesim, kubemin


def main() -> None:
    """Raise AssertionError for the first thing that is wrong."""
    with TemporaryDirectory(prefix="wheels-") as name:
        folder = Path(name)
        kubesim, kubemin = build(folder / "dist")

        alone = Environment(folder / "kubesim")
        alone.install(str(kubesim))
        assert "usage: kubesim" in alone("kubesim", "--help")
        assert kubesim.name.split("-")[1] in alone("kubesim", "--version")

        both = Environment(folder / "kubemin")
        both.install(str(kubemin))
        assert kubemin.name.split("-")[1] in both("kubemin", "version")
        missing = "kubemin: the simulated cluster is not installed: pip install 'kubemin[sim]'\n"
        assert both("kubemin", "dev", code=2) == missing

        served = Environment(folder / "served")  # what a server needs, as the image has it
        served.install(f"kubemin[{','.join(SERVER_EXTRAS)}] @ {kubemin.as_uri()}")
        served("python", "-c", "import asyncmy, asyncpg, uvloop")
        refused = served("kubemin", "migrate", "--database", "postgresql://kubemin@127.0.0.1:9/kubemin", code=1)
        assert "extra" not in refused, refused  # the driver is there, and finds nobody

        # By address: a registry's package of the same name is none of ours.
        both.install(f"kubesim @ {kubesim.as_uri()}", f"kubemin[sim] @ {kubemin.as_uri()}")
        assert "usage: kubesim" in both("kubesim", "--help")
        assert "All of it held" in both("kubemin", "demo")
    sys.stdout.write(f"{kubesim.name} and {kubemin.name} work alone and together\n")


if __name__ == "__main__":
    main()
