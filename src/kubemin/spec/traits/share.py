"""The ``share`` trait: objects that several applications of a namespace use together."""

from collections.abc import Iterator

from pydantic import Field

from kubemin.spec.check_context import CheckContext
from kubemin.spec.issues import Issue, IssueCode
from kubemin.spec.limits import listed
from kubemin.spec.model import SpecModel, Text
from kubemin.spec.states import ShareStrategy


class Share(SpecModel):
    """``default``: only what is not shared here yet is made · ``ignore``: nothing is · ``force``: everything is."""

    strategy: Text = Field(default=ShareStrategy.DEFAULT.value, description="`default`, `ignore` or `force`")
    """A text, so that `check` can say what is wrong with it: `ShareStrategy` once that is done."""


def check(share: Share, context: CheckContext, path: str) -> Iterator[Issue]:
    """What is wrong with ``share``."""
    if share.strategy not in list(ShareStrategy):
        yield Issue.of_word(
            f"{path}.strategy",
            IssueCode.INVALID_TRAIT_CONFIG,
            f'Component "{context.component}" has the unknown share strategy "{share.strategy}"',
            share.strategy,
            ShareStrategy,
        )
    limits, namespace = context.limits, context.namespace
    forced = share.strategy == ShareStrategy.FORCE and limits.is_reserved(namespace)
    if forced and not listed(namespace, limits.allow_force_namespaces):
        yield Issue(
            f"{path}.strategy",
            IssueCode.NOT_ALLOWED,
            f'Component "{context.component}" would write over what others have in the reserved namespace '
            f'"{namespace}"; KUBEMIN_ALLOW_FORCE_NAMESPACES does not allow it.',
        )
