"""What the groups and the people of an issuer may, as the settings say."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, TypeAdapter, model_validator

from kubemin.identity.grants import Grant, GrantBody
from kubemin.spec.text import ParseError, parse


class _IssuerGrant(GrantBody):
    """A grant for the people of a group, or for one of them."""

    group: Annotated[str | None, Field(min_length=1, max_length=1000)] = None
    user: Annotated[str | None, Field(min_length=1, max_length=255)] = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.group is None) == (self.user is None):
            raise ValueError("each grant names a group or a user")
        return self


@dataclass(frozen=True)
class IssuerGrants:
    """All of them."""

    given: tuple[_IssuerGrant, ...] = ()

    @classmethod
    def read(cls, text: str) -> Self:
        """From YAML or JSON. Raises `ValueError`."""
        if not text.strip():
            return cls()
        try:
            (data,) = parse(text)
        except ParseError as error:
            raise ValueError(f"no YAML: {error}") from error
        return cls(tuple(TypeAdapter(list[_IssuerGrant]).validate_python(data)))

    def of(self, name: str, groups: Collection[str]) -> tuple[Grant, ...]:
        """What somebody of this name and these groups may."""
        return tuple(
            one.grant for one in self.given if one.user == name or (one.group is not None and one.group in groups)
        )
