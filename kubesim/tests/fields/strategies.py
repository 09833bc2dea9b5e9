"""Random objects. Names are few, so that they meet."""

from typing import Any

from hypothesis import strategies as st

from fields import samples

Object = dict[str, Any]

NAMES = st.sampled_from(["a", "b", "c"])
WORDS = st.sampled_from(["x", "y", "z", ""])
LABELS = st.dictionaries(NAMES, WORDS, max_size=3)


def maybe(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Object]:
    """Any part of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


def keyed(key: str, names: st.SearchStrategy[Any], rest: st.SearchStrategy[Object]) -> st.SearchStrategy[list[Object]]:
    """Items told apart by ``key``, in any order."""
    items = st.builds(lambda name, fields: {key: name, **fields}, names, rest)
    return st.lists(items, max_size=3, unique_by=lambda item: item[key])


ENV = keyed("name", NAMES, maybe(value=WORDS))
PORTS = keyed("containerPort", st.sampled_from([80, 81, 82]), maybe(protocol=st.just("TCP")))
RESOURCES = maybe(limits=st.dictionaries(st.sampled_from(["cpu", "memory"]), st.sampled_from(["1", "0.5", "1024Mi"])))
CONTAINER = maybe(env=ENV, ports=PORTS, args=st.lists(WORDS, max_size=2), resources=RESOURCES)
CONTAINERS = keyed("name", NAMES, st.builds(lambda fields, tag: {"image": f"i:{tag}", **fields}, CONTAINER, NAMES))


@st.composite
def deployments(draw: st.DrawFn) -> Object:
    """A valid Deployment, as a user or a configuration would give it."""
    containers = draw(CONTAINERS.filter(bool))
    pod = draw(maybe(nodeSelector=LABELS, terminationGracePeriodSeconds=st.sampled_from([5, 30])))
    spec = draw(maybe(replicas=st.integers(0, 3), paused=st.booleans(), revisionHistoryLimit=st.integers(1, 3)))
    obj = samples.deployment(**spec, template=samples.template(*containers, **pod))
    obj["metadata"].update(draw(maybe(labels=LABELS, annotations=LABELS)))
    return obj


@st.composite
def config_maps(draw: st.DrawFn) -> Object:
    """A valid ConfigMap."""
    obj = samples.config_map(draw(st.none() | LABELS))
    obj["metadata"].update(draw(maybe(annotations=LABELS, finalizers=st.just(["example.com/keep"]))))
    # An object that had no owner when it was made is not tracked later either.
    obj["metadata"]["labels"] = {**draw(LABELS), "always": "there"}
    return obj


CONFIGS = config_maps() | deployments()
"""Configurations to apply. Two of a pair are of one kind."""

PAIRS = st.tuples(config_maps(), config_maps()) | st.tuples(deployments(), deployments())
TRIPLES = st.tuples(config_maps(), config_maps(), config_maps()) | st.tuples(
    deployments(), deployments(), deployments()
)
