"""What people type about custom resources works."""

import yaml

from kubesim import Operator

from .conftest import Kubectl

WIDGETS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.example.com
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget, shortNames: [wd]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.size, statusReplicasPath: .status.size}
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size}
    - {name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status'}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [size]
            properties:
              size: {type: integer, maximum: 9}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""


def widget(**spec: object) -> dict[str, object]:
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "one"}, "spec": spec}


async def test_the_life_of_a_custom_resource(kubectl: Kubectl) -> None:
    kubectl.server.controllers.operate(Operator("widgets.example.com"))
    definition = yaml.safe_load(WIDGETS)
    created = "customresourcedefinition.apiextensions.k8s.io/widgets.example.com"
    assert await kubectl("apply", "-f", "-", stdin=definition) == f"{created} created\n"
    await kubectl("wait", "--for=condition=Established", "crd/widgets.example.com", "--timeout=60s")
    assert await kubectl("apply", "-f", "-", stdin=widget(size=2)) == "widget.example.com/one created\n"
    await kubectl("wait", "--for=condition=Ready", "wd/one", "--timeout=60s")
    header, row = (await kubectl("get", "wd")).splitlines()
    assert (header.split(), row.split()) == (["NAME", "SIZE", "READY"], ["one", "2", "True"])
    assert await kubectl("apply", "-f", "-", stdin=widget(size=3)) == "widget.example.com/one configured\n"
    assert await kubectl("apply", "-f", "-", stdin=widget(size=3)) == "widget.example.com/one unchanged\n"
    await kubectl("scale", "widget/one", "--replicas=4")
    assert (await kubectl.object("widget", "one"))["spec"] == {"size": 4}
    code, _, err = await kubectl.run("apply", "-f", "-", stdin=widget(size=10))
    assert code == 1
    assert "spec.size: Invalid value: 10: spec.size in body should be less than or equal to 9" in err
    code, _, err = await kubectl.run("apply", "-f", "-", stdin=widget(size=1, wrong=1))
    assert code == 1
    assert 'unknown field "spec.wrong"' in err
    await kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=widget(size=5))
    assert (await kubectl("api-resources", "--api-group=example.com", "--no-headers")).split() == [
        "widgets",
        "wd",
        "example.com/v1",
        "true",
        "Widget",
    ]
    assert await kubectl("delete", "crd", "widgets.example.com") == (
        'customresourcedefinition.apiextensions.k8s.io "widgets.example.com" deleted\n'
    )
    code, _, err = await kubectl.run("get", "widgets")
    assert code == 1
    assert "the server could not find the requested resource" in err
