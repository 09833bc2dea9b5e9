"""An object of which a part is others': what stays of it is said, or it is taken away (design R3). Pure."""

from kubemin.engine.deploy.predict import predict_apply
from kubemin.engine.objects.others import dropped_fields, fields_of_others, without_fields
from kubemin.spec.objects import Manifest


def remains(wanted: Manifest, answer: Manifest) -> list[str]:
    """For people: where the server's answer to an apply is otherwise than the manifest."""
    kept = [f"keeps {field}" for field in fields_of_others(wanted, answer)]
    return kept + [f"the server dropped {path}" for path in dropped_fields(wanted, answer)]


def replacement(wanted: Manifest, live: Manifest, *, take_over: bool) -> Manifest | None:
    """What an apply of ``wanted`` will make of ``live``, without what no apply can take away; None if that is nothing.

    With ``take_over`` this is what others have set. In one step: without their items alone the object might be one that
    nobody takes, such as a Pod without containers.
    """
    theirs = fields_of_others(wanted, live) if take_over else []
    rolling = _rolls_no_more(wanted, live)
    if not theirs and not rolling:
        return None
    body = without_fields(predict_apply(live, wanted), theirs)
    if rolling:
        body["spec"]["strategy"].pop("rollingUpdate", None)
    return body


def _rolls_no_more(wanted: Manifest, live: Manifest) -> bool:
    """Whether a Deployment is to have another strategy than RollingUpdate, whose numbers are defaults that nobody owns.

    With them it is refused, and an apply leaves them.
    """
    strategy = (wanted.get("spec") or {}).get("strategy")
    there = (live.get("spec") or {}).get("strategy")
    return bool(strategy and strategy.get("type") == "Recreate" and there and "rollingUpdate" in there)
