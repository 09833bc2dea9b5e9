"""From a call to its answer: one handler a verb. None of them waits for anything."""

from collections.abc import Callable, Mapping
from typing import Protocol

from kubesim.answers import Answer, listed, plain, shown
from kubesim.calls import Call, is_true
from kubesim.custom.resource import CustomResource
from kubesim.jsondata import Object
from kubesim.listing import list_page
from kubesim.problems import Problem, bad_request
from kubesim.registry import Registry
from kubesim.routing import nothing_there
from kubesim.scale import scale_of
from kubesim.verbs import Write, Written
from kubesim.views import outgoing, stored


class Log(Protocol):
    """Tells what a container has printed, ``None`` if it never ran."""

    def __call__(self, namespace: str, pod: str, container: str, *, previous: bool = False) -> str | None: ...


class Handlers:
    """Answers calls from a registry."""

    def __init__(self, registry: Registry, log: Log) -> None:
        self._registry = registry
        self._log = log
        self._one: Mapping[str, Callable[[Call], Answer]] = {
            "GET": self._get,
            "PUT": self._put,
            "PATCH": self._patch,
            "DELETE": self._delete,
        }
        self._many: Mapping[str, Callable[[Call], Answer]] = {
            "GET": self._list,
            "POST": self._post,
            "DELETE": self._delete_collection,
        }

    def answer(self, call: Call) -> Answer:
        """Do what the call asks for. Refusals are raised, as ``Problem``."""
        target = call.target
        handler = (self._one if target.name else self._many).get(call.method)
        everywhere = not target.name and target.resource.namespaced and not target.namespace
        if everywhere and call.method != "GET" and isinstance(target.resource, CustomResource):
            raise nothing_there()
        if (
            handler is None
            or (everywhere and call.method != "GET")
            or (target.subresource and call.method not in _SUBRESOURCE_METHODS.get(target.subresource, ()))
            or ("patch" if call.verb == "apply" else call.verb) not in target.resource.verbs
        ):
            raise Problem(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
        return handler(call)

    def _get(self, call: Call) -> Answer:
        target = call.target
        if target.subresource == "log":
            return self._container_log(call)
        entry = self._registry.entry(target.resource.key, target.namespace, target.name)
        if target.subresource == "scale":
            return plain(scale_of(target.resource, outgoing(target.resource, entry).obj))
        return shown(call, target.resource, entry.obj, entry=entry)

    def _container_log(self, call: Call) -> Answer:
        target, query = call.target, call.query
        pod = self._registry.entry(target.resource.key, target.namespace, target.name).obj
        names = [container["name"] for container in pod["spec"]["containers"]]
        container = query.get("container") or (names[0] if len(names) == 1 else "")
        if not container:
            raise bad_request(
                f"a container name must be specified for pod {target.name}, choose one of: [{' '.join(names)}]"
            )
        names += [container["name"] for container in pod["spec"].get("initContainers") or []]
        if container not in names:
            raise bad_request(f"container {container} is not valid for pod {target.name}")
        if not pod["spec"].get("nodeName"):
            return Answer(b"", 204)  # nobody has it yet, so there is nobody to ask
        previous = is_true(query.get("previous", ""))
        text = self._log(target.namespace, target.name, container, previous=previous)
        if text is None:
            raise bad_request(_no_log(pod, container, previous=previous))
        if (tail := query.get("tailLines", "")).isdecimal():
            lines = text.splitlines(keepends=True)
            text = "".join(lines[max(0, len(lines) - int(tail)) :])
        body = text.encode()
        if (limit := query.get("limitBytes", "")).isdecimal():
            body = body[: int(limit)]
        return Answer(body, content_type="text/plain")

    def _list(self, call: Call) -> Answer:
        target = call.target
        return listed(call, list_page(self._registry.storage, target.resource, target.namespace, call.query))

    def _post(self, call: Call) -> Answer:
        write = call.write()
        written = self._registry.verbs.post(stored(call.target.resource), call.target.namespace, call.object(), write)
        return self._written(call, written, write)

    def _put(self, call: Call) -> Answer:
        target, write = call.target, call.write()
        written = self._registry.verbs.put(stored(target.resource), target.namespace, target.name, call.object(), write)
        return self._written(call, written, write)

    def _patch(self, call: Call) -> Answer:
        target, write = call.target, call.write()
        body, force = call.patch()
        written = self._registry.verbs.amend(
            target.resource, target.namespace, target.name, call.media_type, body, write, force=force
        )
        return self._written(call, written, write)

    def _written(self, call: Call, written: Written, write: Write) -> Answer:
        resource = call.target.resource
        if write.subresource == "scale":
            return plain(scale_of(resource, written.obj))
        status = 201 if written.created else 200
        return shown(call, resource, written.obj, entry=written.entry, status=status, warnings=write.warnings)

    def _delete(self, call: Call) -> Answer:
        target, options = call.target, call.delete_options()
        removed = self._registry.verbs.remove(stored(target.resource), target.namespace, target.name, options)
        warnings = [_JOBS_ORPHAN] if target.resource.key == "jobs" and options.propagation is None else []
        if not removed.gone or target.resource.returns_deleted:
            status = 202 if options.accepted and not removed.gone else 200
            return shown(call, target.resource, removed.obj, status=status, warnings=warnings)
        meta = removed.obj["metadata"]
        details = {
            "name": meta["name"],
            "group": target.resource.group,
            "kind": target.resource.plural,
            "uid": meta["uid"],
        }
        return plain(
            {
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Success",
                "details": {key: value for key, value in details.items() if value},
            }
        )

    def _delete_collection(self, call: Call) -> Answer:
        target, query = call.target, call.query
        deleted = self._registry.delete_collection(
            target.resource.key,
            target.namespace,
            query.get("labelSelector", ""),
            query.get("fieldSelector", ""),
            options=call.delete_options(),
        )
        return plain(
            {
                "kind": target.resource.list_kind,
                "apiVersion": target.resource.api_version,
                "metadata": {"resourceVersion": str(self._registry.storage.revision)},
                "items": list(deleted),
            }
        )


_WAITS = {"ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image"}


def _no_log(pod: Object, container: str, *, previous: bool) -> str:
    """Why a container has no log, in the kubelet's words."""
    where, status = f'container "{container}" in pod "{pod["metadata"]["name"]}"', pod.get("status") or {}
    if previous:
        return f"previous terminated {where} not found"
    statuses = [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]
    found = next((each for each in statuses if each["name"] == container), None)
    if found is None:
        return f"{where} is not available"
    reason = found.get("state", {}).get("waiting", {}).get("reason", "ContainerCreating")
    return f"{where} is waiting to start: {_WAITS.get(reason, reason)}"


_JOBS_ORPHAN = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or "
    "set propagationPolicy=Orphan to suppress this warning"
)
_SUBRESOURCE_METHODS: Mapping[str, tuple[str, ...]] = {
    "status": ("GET", "PUT", "PATCH"),
    "scale": ("GET", "PUT", "PATCH"),
    "finalize": ("PUT",),
    "log": ("GET",),
}
