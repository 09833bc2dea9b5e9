"""The base of everything a user writes."""

from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

TOLERATED = frozenset({"id", "expose", "alias"})
"""Fields that clients are known to send where they mean nothing."""


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("nul", "must not contain a NUL character")
    return text


def _no_nul_in(value: Any) -> Any:
    texts, pending = [], [value]
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            texts.append(one)
        elif isinstance(one, dict):
            pending += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            pending += one
    for text in texts:
        _no_nul(text)
    return value


def int32(number: int) -> int:
    """The number, if Kubernetes can keep it in 32 bits; raises `PydanticCustomError`."""
    if not -(2**31) <= number < 2**31:
        raise PydanticCustomError("int32", "is out of range")
    return number


def _number_as_text(value: Any) -> Any:
    # `cpu: 0.5` in YAML is a number, and as a quantity it means the same.
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _is_none(value: object) -> bool:
    return value is None


T = TypeVar("T")

Absent = Annotated[T | None, Field(exclude_if=_is_none)]
"""Left out of the JSON while it is not known."""

Text = Annotated[str, Strict(), AfterValidator(_no_nul)]
"""Text, and nothing that merely looks like it: YAML's ``1.10`` or ``yes`` would silently become something else."""

Whole = Annotated[int, Strict(), AfterValidator(int32)]
"""A whole number as Kubernetes keeps them (32 bits)."""

Flag = Annotated[bool, Strict()]

AsItStands = Annotated[dict[str, Any], AfterValidator(_no_nul_in)]
"""A part of a Kubernetes object that is passed on as it stands."""

Quantity = Annotated[Text, BeforeValidator(_number_as_text)]
"""A Kubernetes quantity as text; a plain number is taken too."""


_MAPS = ("matchLabels", "nodeSelector")
"""Fields of manifests that are maps of texts. Other objects mean something where they are empty."""


def without_empty(value: Any) -> Any:
    """A part of a manifest without lists and maps that are empty, which the API server does not keep."""
    if isinstance(value, list):
        return [without_empty(item) for item in value]
    if isinstance(value, dict):
        return {
            key: without_empty(item) for key, item in value.items() if item != [] and not (item == {} and key in _MAPS)
        }
    return value


class SpecModel(BaseModel):
    """Shape only: names and types of fields. What the values mean is checked by the ``check`` functions, so that a
    wrong value hides no other mistake; for the same reason every field has a default, and "required" is a check.

    Input takes camelCase and snake_case. ``null`` and, for single texts, ``""`` mean "not given", as clients send
    them. Output (``dump``) is camelCase, and is input again.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)

    keep_empty: ClassVar[frozenset[str]] = frozenset()
    """Aliases of texts for which ``""`` is a value."""

    other_spellings: ClassVar[dict[str, str]] = {}
    """Older spelling → alias."""

    @model_validator(mode="before")
    @classmethod
    def _tidy(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        aliases = {str(field.alias) for field in cls.model_fields.values()}
        spellings = {name: str(field.alias) for name, field in cls.model_fields.items()} | cls.other_spellings
        tidy: dict[Any, Any] = {}
        for key, value in data.items():
            known = key in aliases or key in spellings
            if known and (value is None or (value == "" and key not in cls.keep_empty)):
                continue
            if not known and key in TOLERATED:
                continue
            # Both spellings of one field are fine as long as they agree; else the second stays, and is refused.
            alias = spellings.get(key, key)
            other = data.get(alias) if alias != key else None
            tidy[alias if other is None or other == value else key] = value
        return tidy

    def dump(self) -> dict[str, Any]:
        """As JSON, in camelCase, without what was not given: what the store keeps and parsing takes again."""
        return self.model_dump(by_alias=True, mode="json", exclude_none=True)

    def kept(self) -> dict[str, Any]:
        """As JSON, for a manifest: without lists and maps that are empty, which the API server does not keep."""
        return dict(without_empty(self.dump()))

    def posted(self) -> dict[str, Any]:
        """As JSON, in camelCase, as it was given: without defaults that nobody wrote. Parsing takes it again."""
        return self.model_dump(by_alias=True, mode="json", exclude_none=True, exclude_unset=True)
