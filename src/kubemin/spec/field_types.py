"""Types of fields that Kubernetes takes as they are: what is wrong with a value is said at its place."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PlainValidator, Strict
from pydantic_core import PydanticCustomError

from kubemin.spec.model import Text, int32
from kubemin.spec.names import is_label_key, is_label_value, is_port_name, is_subdomain

_MOST = 2**31 - 1


def _label_key(text: str) -> str:
    if not is_label_key(text):
        raise PydanticCustomError("label_key", "must be a label's key, such as example.org/zone")
    return text


def _label_value(text: str) -> str:
    if not is_label_value(text):
        raise PydanticCustomError("label_value", 'must be at most 63 letters, digits, "-", "_" and "."')
    return text


def _object_name(text: str) -> str:
    if not is_subdomain(text):
        raise PydanticCustomError("object_name", "must be the name of a Kubernetes object")
    return text


def _port(value: object) -> object:
    if isinstance(value, str) and is_port_name(value):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise PydanticCustomError("port", "must be a port's number, or its name: at most 15 of a-z, 0-9 and -")
    return int32(value)


# `format` says to the schema of the format (tests/docs/reference/application_schema.py) how they are spelled.
LabelKey = Annotated[Text, AfterValidator(_label_key), Field(json_schema_extra={"format": "label-key"})]
LabelValue = Annotated[Text, AfterValidator(_label_value), Field(json_schema_extra={"format": "label-value"})]
ObjectName = Annotated[Text, AfterValidator(_object_name), Field(json_schema_extra={"format": "object-name"})]

Natural = Annotated[int, Strict(), Field(ge=0, le=_MOST)]
"""0 or more."""

Positive = Annotated[int, Strict(), Field(ge=1, le=_MOST)]
"""1 or more."""

Weight = Annotated[int, Strict(), Field(ge=1, le=100)]

_PortNumber = Annotated[int, Field(ge=1, le=65535)]
_PortName = Annotated[str, Field(json_schema_extra={"format": "port-name"})]
PortRef = Annotated[int | str, PlainValidator(_port, json_schema_input_type=_PortNumber | _PortName)]
"""A port's number, or the name of a container's port."""

Protocol = Literal["TCP", "UDP", "SCTP"]
