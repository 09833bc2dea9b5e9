"""The ``storage`` trait: volumes and where they are mounted."""

from collections.abc import Iterator, Sequence

from pydantic import ConfigDict, Field

from kubemin.spec.check_context import CheckContext, Made
from kubemin.spec.component_types import STORE
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.model import Flag, Quantity, SpecModel, Text
from kubemin.spec.names import is_label, is_subdomain, object_name
from kubemin.spec.objects import ObjectRef
from kubemin.spec.quantity import parse_quantity

PERSISTENT, EPHEMERAL, CONFIG, SECRET, HOST = "persistent", "ephemeral", "config", "secret", "host-mounted"
STORAGE_TYPES = (PERSISTENT, EPHEMERAL, CONFIG, SECRET, HOST)


class Storage(SpecModel):
    """A volume of the Pod, mounted into one container.

    In an init or sidecar container an entry with the name of one of the component's volumes mounts that volume.
    """

    other_spellings = {"create": "tmpCreate"}  # noqa: RUF012  (a ClassVar in the base)

    model_config = ConfigDict(json_schema_extra={"required": ["name", "type"]})

    name: Text = ""
    type: Text = Field("", description=", ".join(STORAGE_TYPES))
    mount_path: Text = Field("", description="default /mnt/<name>")
    sub_path: Text | None = None
    read_only: Flag = False
    source_name: Text | None = Field(None, description="ConfigMap or Secret; default: the volume's name")
    tmp_create: Flag = Field(False, description="make a claim for this volume alone")
    size: Quantity = "1Gi"
    claim_name: Text | None = Field(
        None, description="without tmpCreate: a claim, made if there is none; default: the volume's name"
    )
    storage_class: Text | None = None
    host_path: Text | None = None

    @property
    def mounted_at(self) -> str:
        """Where the container sees it."""
        return self.mount_path or f"/mnt/{self.name}"

    @property
    def creates(self) -> bool:
        """Whether a claim of its own is made for it."""
        return self.type == PERSISTENT and self.tmp_create

    @property
    def source(self) -> str:
        """The ConfigMap, Secret or claim behind it."""
        return (self.claim_name if self.type == PERSISTENT else self.source_name) or self.name


def check(storages: Sequence[Storage], context: CheckContext, path: str) -> Iterator[Issue]:
    """What is wrong with one container's ``storage``."""
    names: set[str] = set()
    places: set[str] = set()
    for index, storage in enumerate(storages):
        here = f"{path}[{index}]"
        yield from _check_one(storage, context, here)
        if storage.name and storage.name in names:
            yield Issue(
                f"{here}.name",
                IssueCode.DUPLICATE_OBJECT,
                f'Component "{context.component}" has two volumes named "{storage.name}".',
            )
        elif storage.name and storage.mounted_at in places:
            yield Issue(
                f"{here}.mountPath",
                IssueCode.INVALID_TRAIT_CONFIG,
                f'Component "{context.component}" mounts two volumes at "{storage.mounted_at}".',
            )
        names.add(storage.name)
        places.add(storage.mounted_at)


def _check_one(storage: Storage, context: CheckContext, path: str) -> Iterator[Issue]:
    what = f'Volume "{storage.name}" of component "{context.component}"'
    if not storage.name:
        yield Issue(
            f"{path}.name",
            IssueCode.MISSING_REQUIRED_FIELD,
            f'A volume of component "{context.component}" has no name.',
        )
    elif not is_label(storage.name):
        yield Issue(
            f"{path}.name",
            IssueCode.INVALID_NAME_FORMAT,
            f'"{storage.name}" cannot name a volume: use lower-case letters, digits and "-", at most 63.',
        )
    if storage.type not in STORAGE_TYPES:
        sentence = f'{what} has the unknown type "{storage.type}"'
        yield Issue.of_word(f"{path}.type", IssueCode.INVALID_STORAGE_TYPE, sentence, storage.type, STORAGE_TYPES)
    size = parse_quantity(storage.size)
    if not size:
        yield Issue(
            f"{path}.size",
            IssueCode.INVALID_STORAGE_SIZE,
            f'{what} has the size "{storage.size}", which is no positive quantity such as "5Gi".',
        )
    if storage.mount_path and (not storage.mount_path.startswith("/") or ":" in storage.mount_path):
        yield Issue(
            f"{path}.mountPath",
            IssueCode.INVALID_TRAIT_CONFIG,
            f'{what} is mounted at "{storage.mount_path}", which is no absolute path without ":".',
        )
    if storage.sub_path and (storage.sub_path.startswith("/") or ".." in storage.sub_path.split("/")):
        yield Issue(
            f"{path}.subPath",
            IssueCode.INVALID_TRAIT_CONFIG,
            f'{what} has the subPath "{storage.sub_path}", which must lie inside the volume.',
        )
    for field, value in (
        ("sourceName", storage.source_name),
        ("claimName", storage.claim_name),
        ("storageClass", storage.storage_class),
    ):
        if value and not is_subdomain(value):
            yield Issue(
                f"{path}.{field}",
                IssueCode.INVALID_NAME_FORMAT,
                f'{what} names "{value}" as {field}, which cannot be the name of a Kubernetes object.',
            )
    if storage.type == HOST:
        yield from _check_host(storage, context, path, what)


def _check_host(storage: Storage, context: CheckContext, path: str, what: str) -> Iterator[Issue]:
    if not context.limits.allow_host_path:
        yield Issue(
            f"{path}.type",
            IssueCode.INVALID_STORAGE_TYPE,
            f"{what} wants a path of the host, which this server forbids.",
        )
    if not storage.host_path:
        yield Issue(f"{path}.hostPath", IssueCode.MISSING_REQUIRED_FIELD, f"{what} needs the hostPath that it mounts.")
    elif not storage.host_path.startswith("/") or ".." in storage.host_path.split("/"):
        yield Issue(
            f"{path}.hostPath",
            IssueCode.INVALID_TRAIT_CONFIG,
            f'{what} has the hostPath "{storage.host_path}", which is no absolute path without "..".',
        )


def made(storages: Sequence[Storage], context: CheckContext, path: str) -> Iterator[Made]:
    """The claims that ``storage`` makes. A store's are made by its StatefulSet, under names of their own."""
    if context.type == STORE:
        return
    for index, storage in enumerate(storages):
        if storage.creates and storage.name:
            name = object_name("PersistentVolumeClaim", context.main, storage.name)
            yield Made(ObjectRef("PersistentVolumeClaim", context.namespace, name), f"{path}[{index}]")
