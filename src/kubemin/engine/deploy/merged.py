"""An object of which a part is others': what stays of it is said, or it is taken away (design R3). Pure."""

from kubemin.engine.deploy.predict import predict_apply
from kubemin.engine.objects.others import dropped_fields, fields_of_others, without_fields
from kubemin.spec.objects import Manifest


def remains(wanted: Manifest, answer: Manifest) -> list[str]:
    """For people: where the server's answer to an apply is otherwise than the manifest."""
    kept = [f"keeps {field}" for field in fields_of_others(wanted, answer)]
    return kept + [f"the server dropped {path}" for path in dropped_fields(wanted, answer)]


def without_others(wanted: Manifest, live: Manifest) -> Manifest | None:
    """What an apply of ``wanted`` will make of ``live``, without what others have set; None if they have set nothing.

    In one step: without their items alone the object might be one that nobody takes, such as a Pod without containers.
    """
    theirs = fields_of_others(wanted, live)
    return without_fields(predict_apply(live, wanted), theirs) if theirs else None
