"""What the server, the client and the system say, by code or by sentence in the reader's language.

The server's messages are English, whoever asks. In another language a sentence for the code comes first, and the
server's own words, which name what it is about, after it.
"""

from collections.abc import Mapping
from typing import Any

from kubemin.cli.exits import CliError
from kubemin.cli.language import aside, because, key, known, retold

API = {
    400: key("the request is not valid"),
    401: key("the server does not know who asks"),
    403: key("the server does not allow this"),
    404: key("there is no such thing"),
    405: key("the server cannot do this"),
    408: key("the request did not arrive in time"),
    409: key("this cannot be done now"),
    413: key("the request is too large"),
    415: key("the server does not read this kind of content"),
    421: key("the request is for another server"),
    429: key("too many requests in a short time"),
    500: key("the server has failed"),
    501: key("the server cannot do this yet"),
    503: key("the server is not available"),
    507: key("the server's disk is full"),
    10000: key("the application is not valid"),
    10001: key("a component has no image"),
    10003: key("there is such an application already"),
    10005: key("there is no such application"),
    10006: key("there is no such revision"),
    10010: key("the template cannot be used"),
    10020: key("the application is not valid"),
    10021: key("a name is not valid"),
    10022: key("a trait is not valid"),
    10023: key("a field is missing"),
    10024: key("a storage trait is not valid"),
    10025: key("a probe is not valid"),
    10026: key("a trait cannot be in this one"),
    10027: key("there is no such component"),
    10028: key("two components have the same name"),
    20000: key("the workflow is not valid"),
    20001: key("there is such a workflow already"),
    20005: key("there is no such workflow"),
    20006: key("there is no such task"),
    20010: key("the task has ended"),
    20011: key("a task of the application is active"),
    20012: key("the cancel could not be passed on"),
    20013: key("what the plan was made of has changed"),
    30001: key("the cluster cannot be reached"),
}
"""By `ApiCode`."""

ISSUES = {
    "MISSING_REQUIRED_FIELD": key("a field is missing"),
    "NAME_TOO_SHORT": key("a name is too short"),
    "NAME_TOO_LONG": key("a name is too long"),
    "INVALID_NAME_FORMAT": key("a name is not valid"),
    "DUPLICATE_COMPONENT": key("two components have the same name"),
    "INVALID_COMPONENT_TYPE": key("there is no such type of component"),
    "MISSING_IMAGE": key("a component has no image"),
    "INVALID_STORAGE_TYPE": key("there is no such type of storage"),
    "INVALID_STORAGE_SIZE": key("a size of storage is not valid"),
    "INVALID_PROBE_TYPE": key("there is no such type of probe"),
    "INVALID_PROBE_CONFIG": key("a probe is not valid"),
    "NESTED_TRAIT_FORBIDDEN": key("a trait cannot be in this one"),
    "MISSING_RBAC_RULES": key("an rbac trait has no rules"),
    "MISSING_RBAC_VERBS": key("an rbac rule has no verbs"),
    "MISSING_INGRESS_ROUTES": key("an ingress trait has no routes"),
    "MISSING_SERVICE_NAME": key("a route has no service"),
    "INVALID_ENV_FROM_TYPE": key("there is no such type of envFrom"),
    "INVALID_ENV_VALUE_SOURCE": key("the source of a variable is not valid"),
    "INVALID_TRAIT_CONFIG": key("a trait is not valid"),
    "DUPLICATE_WORKFLOW_STEP": key("two steps have the same name"),
    "COMPONENT_NOT_FOUND": key("there is no such component"),
    "UNKNOWN_FIELD": key("there is no such field"),
    "INVALID_FIELD_VALUE": key("a value is not valid"),
    "TOO_MANY_COMPONENTS": key("there are too many components"),
    "DUPLICATE_OBJECT": key("two objects have the same kind and name"),
    "TEMPLATE_NOT_FOUND": key("there is no such template"),
    "NOT_ALLOWED": key("this is not allowed here"),
}
"""By `IssueCode`."""

WARNINGS = {
    "COMPONENT_IN_NO_STEP": key("a component is in no step"),
    "HELM_HOOK": key("a hook of Helm means something else here"),
    "NOT_IN_APPLICATION": key("no component makes what is named"),
    "UNKNOWN_HOST": key("a variable leads to a host that nobody has"),
    "UNFILLED_VARIABLE": key("a variable in a value is not filled in"),
    "UNPINNED_IMAGE": key("an image may change"),
    "AUTOSCALER_OFF": key("an autoscaler does nothing"),
    "DISRUPTION_BUDGET_NEVER_LETS_GO": key("a disruption budget lets no Pod go"),
    "CLAIMS_DELETED": key("volume claims are deleted, with their data"),
}
"""By `WarningCode`."""

_OF_THE_CLIENT = (
    key("no server answers at {server}; start one with `kubemin dev`, or name it with --server"),
    key("no server answers at {server}"),
    key("the server at {server} is away (HTTP {status})"),
    key("{server} did not answer in time"),
    key("the exchange with {server} failed: {why}"),
    key("what answers at {server} is not KubeMin (HTTP {status})"),
    key("what answers at {server} is not KubeMin: {why}"),
    key("{server} is not the address of a server: it begins with http:// or https://"),
    key("{server} is not the address of a server: it names none"),
    key("{server} is not the address of a server: {why}"),
)
_OF_THE_SYSTEM = (
    key("no such file or directory"),
    key("not a directory"),
    key("is a directory"),
    key("permission denied"),
    key("read-only file system"),
    key("file name too long"),
    key("no space left on device"),
    key("address already in use"),
    key("cannot assign requested address"),
)
_HOLDS = (
    key("waits {seconds} s, or for promote"),
    key("waits for promote, {seconds} s at most"),
    key("waits for promote"),
)


def told(error: CliError) -> str:
    """What went wrong, for a person."""
    return refused(getattr(error, "business_code", None), error.message)


def refused(code: int | None, message: str) -> str:
    """What the server, or the client, says was wrong."""
    summary = None if code is None else known(API.get(code))
    return retold(message, _OF_THE_CLIENT) if summary is None else because(aside(summary, code), message)


def issue(code: str, message: str) -> str:
    """What is wrong with an application, or probably not meant."""
    summary = known(ISSUES.get(code) or WARNINGS.get(code))
    return message if summary is None else because(summary, message)


def advice(failed: Mapping[str, Any]) -> str:
    """What to do about the failure of a task or a component, which has a code and perhaps the server's advice."""
    from kubemin.spec.reason_codes import advice_for

    return known(advice_for(failed.get("reasonCode"))) or str(failed.get("advice") or "")


def hold(waits: str) -> str:
    """What a pause of a run waits for."""
    return retold(waits, _HOLDS)


def of_system(error: OSError) -> str:
    """Why the system refused."""
    return retold((error.strerror or str(error)).lower(), _OF_THE_SYSTEM)
