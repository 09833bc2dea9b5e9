"""deploy/image/Dockerfile: its instructions, and what is made by them in a file system laid over that of this machine.

There is no container engine here, so the base is this machine's system and Python. The rest is as an engine does it:
the instructions are run as they stand there, one after another, by root in a mount namespace.
"""

import json
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "image" / "Dockerfile"


@dataclass(frozen=True)
class Instruction:
    """One line, such as ``USER 65532``; continued lines are one."""

    name: str
    rest: str


@dataclass(frozen=True)
class Stage:
    """What begins with ``FROM``."""

    base: str
    instructions: Sequence[Instruction] = ()

    def all(self, name: str) -> list[str]:
        """What stands behind these instructions."""
        return [one.rest for one in self.instructions if one.name == name]

    @property
    def environment(self) -> Mapping[str, str]:
        """What ``ENV`` sets, without a reference to what was set before."""
        pairs = [pair.split("=", 1) for rest in self.all("ENV") for pair in shlex.split(rest)]
        return {name: value.removesuffix(":$PATH") for name, value in pairs}


def stages() -> list[Stage]:
    """The stages, with the arguments' defaults put in."""
    found, arguments = list[Stage](), dict[str, str]()
    for one in _instructions(FILE.read_text()):
        if one.name == "ARG" and not found:
            name, _, value = one.rest.partition("=")
            arguments[name] = value
        elif one.name == "FROM":
            base = re.sub(r"\$\{(\w+)\}", lambda match: arguments[match[1]], one.rest)
            found.append(Stage(base.split()[0]))
        else:
            found[-1] = Stage(found[-1].base, [*found[-1].instructions, one])
    return found


def _instructions(text: str) -> Iterator[Instruction]:
    whole = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", "")
    for line in whole.splitlines():
        if line.strip():
            name, _, rest = line.partition(" ")
            yield Instruction(name, rest.strip())


def copied(stage: Stage) -> list[tuple[list[str], str]]:
    """What of the checkout is copied where."""
    pairs = [shlex.split(rest) for rest in stage.all("COPY") if not rest.startswith("--from")]
    return [(parts[:-1], parts[-1]) for parts in pairs]


def exec_form(rest: str) -> list[str]:
    """The words of an instruction that starts a program without a shell, which would be PID 1 and pass no signal on."""
    words: list[str] = json.loads(rest)
    return words


def script() -> str:
    """For ``bash`` as root in namespaces of its own; ``$1`` is an empty folder, ``$2…`` the arguments of the image.

    It makes what the image holds and becomes the image's process, with a root that cannot be written but for ``/tmp``.
    """
    build, final = stages()
    root = "$PLACE/root"
    inside = f"chroot {root} env -i PATH={sys.base_prefix}/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root"
    lines = [
        "set -eu; PLACE=$1; shift",
        "mount -t tmpfs none $PLACE",
        "mkdir $PLACE/upper $PLACE/work $PLACE/root",
        f"mount -t overlay overlay -o lowerdir=/,upperdir=$PLACE/upper,workdir=$PLACE/work {root}",
        f"mount --rbind /dev {root}/dev",
        f"mount -t proc proc {root}/proc",
        f"mount -t tmpfs none {root}/tmp",
        f"mkdir {root}/src",
        *(f"chmod o+rx {root}{folder}" for folder in Path(sys.base_prefix).parents),  # a Python of root's own
    ]
    for one in build.instructions:
        if one.name == "COPY":
            ((sources, target),) = copied(Stage("", [one]))
            place = f"{root}/src/{target}"
            lines.append(f"mkdir -p $(dirname {place})")
            lines.append(f"cp -r {' '.join(str(ROOT / source) for source in sources)} {place}")
        elif one.name == "RUN":
            lines.append(f"{inside} sh -ec {shlex.quote(f'cd /src; {one.rest}')} >&2")
    lines += [f"{inside} sh -ec {shlex.quote(rest)} >&2" for rest in final.all("RUN")]
    user, group = final.all("USER")[0].split(":")
    words = shlex.join(exec_form(final.all("ENTRYPOINT")[0]))
    set_to = {**final.environment, "PATH": f"{final.environment['PATH']}:/usr/bin:/bin"}
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in set_to.items())
    lines += [
        f"rm -r {root}/src {root}/build",
        f"umount {root}/tmp",
        f"mount -t tmpfs none {root}/tmp",
        f"install -m 644 cluster.yaml {root}/tmp/kubeconfig",
        f"mount -o remount,ro {root}",
        f"drop='setpriv --reuid {user} --regid {group} --clear-groups --no-new-privs --bounding-set -all'",
        "given=$(env | grep ^KUBEMIN_ || true)",
        f'exec chroot {root} env -i -C /tmp $given {settings} $drop {words} "$@"',
    ]
    return "\n".join(lines)
