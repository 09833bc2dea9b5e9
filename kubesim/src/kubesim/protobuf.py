"""Protobuf bodies, as ``kubectl create`` sends them.

Clients of the typed kind write protobuf to the kinds that are built into Kubernetes, and cannot be talked out of it.
Read is what such commands write; a field that is not in the table here is refused by number, never lost. Answers are
JSON, which these clients accept.
"""

import base64
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from kubesim.jsondata import Object, stamp
from kubesim.problems import Problem, bad_request

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"

_MAGIC = b"k8s\x00"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_INT64 = 1 << 63

# Message = field:number:type …  Types: s string, i integer, b boolean, y bytes, T time, Q quantity, I integer or
# string, - skipped, else a message; * repeats, { is a map from strings, > is part of the message that it is in.
_TABLE = """
ObjectMeta = name:1:s generateName:2:s namespace:3:s selfLink:4:s uid:5:s resourceVersion:6:s generation:7:i
    creationTimestamp:8:T deletionTimestamp:9:T deletionGracePeriodSeconds:10:i labels:11:{s annotations:12:{s
    ownerReferences:13:*OwnerReference finalizers:14:*s
OwnerReference = kind:1:s name:3:s uid:4:s apiVersion:5:s controller:6:b blockOwnerDeletion:7:b
LabelSelector = matchLabels:1:{s matchExpressions:2:*LabelSelectorRequirement
LabelSelectorRequirement = key:1:s operator:2:s values:3:*s
DeleteOptions = gracePeriodSeconds:1:i preconditions:2:Preconditions orphanDependents:3:b propagationPolicy:4:s
    dryRun:5:*s ignoreStoreReadErrorWithClusterBreakingPotential:6:b
Preconditions = uid:1:s resourceVersion:2:s
Namespace = metadata:1:ObjectMeta spec:2:NamespaceSpec status:3:-
NamespaceSpec = finalizers:1:*s
ConfigMap = metadata:1:ObjectMeta data:2:{s binaryData:3:{y immutable:4:b
Secret = metadata:1:ObjectMeta data:2:{y type:3:s stringData:4:{s immutable:5:b
ServiceAccount = metadata:1:ObjectMeta secrets:2:*ObjectReference imagePullSecrets:3:*LocalObjectReference
    automountServiceAccountToken:4:b
ObjectReference = kind:1:s namespace:2:s name:3:s uid:4:s apiVersion:5:s resourceVersion:6:s fieldPath:7:s
LocalObjectReference = name:1:s
Service = metadata:1:ObjectMeta spec:2:ServiceSpec status:3:-
ServiceSpec = ports:1:*ServicePort selector:2:{s clusterIP:3:s type:4:s externalIPs:5:*s sessionAffinity:7:s
    loadBalancerIP:8:s loadBalancerSourceRanges:9:*s externalName:10:s externalTrafficPolicy:11:s
    healthCheckNodePort:12:i publishNotReadyAddresses:13:b ipFamilyPolicy:17:s clusterIPs:18:*s ipFamilies:19:*s
    allocateLoadBalancerNodePorts:20:b loadBalancerClass:21:s internalTrafficPolicy:22:s trafficDistribution:23:s
ServicePort = name:1:s protocol:2:s port:3:i targetPort:4:I nodePort:5:i appProtocol:6:s
ResourceQuota = metadata:1:ObjectMeta spec:2:ResourceQuotaSpec status:3:-
ResourceQuotaSpec = hard:1:{Q scopes:2:*s
PodTemplateSpec = metadata:1:ObjectMeta spec:2:PodSpec
PodSpec = containers:2:*Container restartPolicy:3:s terminationGracePeriodSeconds:4:i activeDeadlineSeconds:5:i
    dnsPolicy:6:s nodeSelector:7:{s serviceAccountName:8:s serviceAccount:9:s nodeName:10:s hostNetwork:11:b
    hostPID:12:b hostIPC:13:b imagePullSecrets:15:*LocalObjectReference hostname:16:s subdomain:17:s schedulerName:19:s
    initContainers:20:*Container automountServiceAccountToken:21:b tolerations:22:*Toleration priorityClassName:24:s
    priority:25:i shareProcessNamespace:27:b runtimeClassName:29:s enableServiceLinks:30:b preemptionPolicy:31:s
    overhead:32:{Q setHostnameAsFQDN:35:b hostUsers:37:b resources:40:ResourceRequirements hostnameOverride:41:s
Container = name:1:s image:2:s command:3:*s args:4:*s workingDir:5:s ports:6:*ContainerPort env:7:*EnvVar
    resources:8:ResourceRequirements terminationMessagePath:13:s imagePullPolicy:14:s stdin:16:b stdinOnce:17:b tty:18:b
    terminationMessagePolicy:20:s restartPolicy:24:s
ContainerPort = name:1:s hostPort:2:i containerPort:3:i protocol:4:s hostIP:5:s
EnvVar = name:1:s value:2:s
ResourceRequirements = limits:1:{Q requests:2:{Q
Toleration = key:1:s operator:2:s value:3:s effect:4:s tolerationSeconds:5:i
Deployment = metadata:1:ObjectMeta spec:2:DeploymentSpec status:3:-
DeploymentSpec = replicas:1:i selector:2:LabelSelector template:3:PodTemplateSpec strategy:4:DeploymentStrategy
    minReadySeconds:5:i revisionHistoryLimit:6:i paused:7:b progressDeadlineSeconds:9:i
DeploymentStrategy = type:1:s rollingUpdate:2:RollingUpdateDeployment
RollingUpdateDeployment = maxUnavailable:1:I maxSurge:2:I
Job = metadata:1:ObjectMeta spec:2:JobSpec status:3:-
JobSpec = parallelism:1:i completions:2:i activeDeadlineSeconds:3:i selector:4:LabelSelector manualSelector:5:b
    template:6:PodTemplateSpec backoffLimit:7:i ttlSecondsAfterFinished:8:i completionMode:9:s suspend:10:b
    backoffLimitPerIndex:12:i maxFailedIndexes:13:i podReplacementPolicy:14:s managedBy:15:s
CronJob = metadata:1:ObjectMeta spec:2:CronJobSpec status:3:-
CronJobSpec = schedule:1:s startingDeadlineSeconds:2:i concurrencyPolicy:3:s suspend:4:b
    jobTemplate:5:JobTemplateSpec successfulJobsHistoryLimit:6:i failedJobsHistoryLimit:7:i timeZone:8:s
JobTemplateSpec = metadata:1:ObjectMeta spec:2:JobSpec
Ingress = metadata:1:ObjectMeta spec:2:IngressSpec status:3:-
IngressSpec = defaultBackend:1:IngressBackend tls:2:*IngressTLS rules:3:*IngressRule ingressClassName:4:s
IngressBackend = service:4:IngressServiceBackend
IngressServiceBackend = name:1:s port:2:ServiceBackendPort
ServiceBackendPort = name:1:s number:2:i
IngressTLS = hosts:1:*s secretName:2:s
IngressRule = host:1:s ingressRuleValue:2:>IngressRuleValue
IngressRuleValue = http:1:HTTPIngressRuleValue
HTTPIngressRuleValue = paths:1:*HTTPIngressPath
HTTPIngressPath = path:1:s backend:2:IngressBackend pathType:3:s
Role = metadata:1:ObjectMeta rules:2:*PolicyRule
ClusterRole = metadata:1:ObjectMeta rules:2:*PolicyRule
PolicyRule = verbs:1:*s apiGroups:2:*s resources:3:*s resourceNames:4:*s nonResourceURLs:5:*s
RoleBinding = metadata:1:ObjectMeta subjects:2:*Subject roleRef:3:RoleRef
ClusterRoleBinding = metadata:1:ObjectMeta subjects:2:*Subject roleRef:3:RoleRef
Subject = kind:1:s apiGroup:2:s name:3:s namespace:4:s
RoleRef = apiGroup:1:s kind:2:s name:3:s
PodDisruptionBudget = metadata:1:ObjectMeta spec:2:PodDisruptionBudgetSpec status:3:-
PodDisruptionBudgetSpec = minAvailable:1:I selector:2:LabelSelector maxUnavailable:3:I
    unhealthyPodEvictionPolicy:4:s
HorizontalPodAutoscaler = metadata:1:ObjectMeta spec:2:HorizontalPodAutoscalerSpec status:3:-
HorizontalPodAutoscalerSpec = scaleTargetRef:1:CrossVersionObjectReference minReplicas:2:i maxReplicas:3:i
    metrics:4:*MetricSpec
CrossVersionObjectReference = kind:1:s name:2:s apiVersion:3:s
MetricSpec = type:1:s resource:3:ResourceMetricSource
ResourceMetricSource = name:1:s target:2:MetricTarget
MetricTarget = type:1:s value:2:Q averageValue:3:Q averageUtilization:4:i
"""


class _Field(NamedTuple):
    name: str
    type: str
    repeated: bool = False
    mapped: bool = False
    inlined: bool = False


def _parse_table(text: str) -> dict[str, dict[int, _Field]]:
    messages: dict[str, dict[int, _Field]] = {}
    for line in text.replace("\n    ", " ").strip().splitlines():
        name, _, fields = line.partition(" =")
        message = messages[name] = {}
        for field in fields.split():
            label, number, kind = field.split(":")
            message[int(number)] = _Field(label, kind.lstrip("*{>"), kind[0] == "*", kind[0] == "{", kind[0] == ">")
    return messages


_MESSAGES: Mapping[str, Mapping[int, _Field]] = _parse_table(_TABLE)


def decode(data: bytes) -> Object:
    """Read an object. 400 for what is not Kubernetes' protobuf, 415 for what the table does not know."""
    if not data.startswith(_MAGIC):
        raise bad_request("the body is not in protobuf: it does not begin with the prefix of Kubernetes")
    try:
        envelope = dict(_read(memoryview(data)[len(_MAGIC) :]))
        meta = {number: bytes(value).decode() for number, value in _read(envelope.get(1, b""))}
        kind = meta.get(2, "")
        if kind not in _MESSAGES:
            raise _unread(f"objects of kind {kind}")
        body = _message(kind, envelope.get(2, b""))
    except (IndexError, ValueError, TypeError, AttributeError) as error:
        raise bad_request(f"the body is not in protobuf: {error}") from None
    return {"kind": kind, "apiVersion": meta.get(1, ""), **body}


def _unread(what: str) -> Problem:
    return Problem(415, "UnsupportedMediaType", f"the simulated cluster does not read {what} in protobuf: send JSON")


def _read(data: Any) -> Iterator[tuple[int, Any]]:
    """The fields of a message: numbers, and integers or bytes."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, position = _varint(data, position)
            yield number, value
            continue
        if wire == _BYTES:
            size, position = _varint(data, position)
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"field {number} has wire type {wire}")
        if position + size > len(data):
            raise ValueError(f"field {number} ends after the body")
        yield number, data[position : position + size]
        position += size


def _varint(data: Any, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
        if shift > 63:
            raise ValueError("a number is longer than 64 bits")


def _message(name: str, data: Any) -> Object:
    fields = _MESSAGES[name]
    message: Object = {}
    for number, raw in _read(data):
        field = fields.get(number)
        if field is None:
            # An empty message says as much as none; anything else would be lost.
            if not isinstance(raw, int) and len(raw) == 0:
                continue
            raise _unread(f"field {number} of {name}")
        if field.type == "-":
            continue
        if field.mapped:
            pair = dict(_read(raw))
            key = bytes(pair.get(1, b"")).decode()
            message.setdefault(field.name, {})[key] = _value(field.type, pair.get(2, b""))
        elif field.repeated:
            message.setdefault(field.name, []).append(_value(field.type, raw))
        elif field.inlined:
            message |= _message(field.type, raw)
        elif (value := _value(field.type, raw)) is not None:
            message[field.name] = value
    return message


def _value(kind: str, raw: Any) -> Any:
    if kind == "s":
        return bytes(raw).decode()
    if kind == "i":
        return _signed(raw)
    if kind == "b":
        return bool(raw)
    if kind == "y":
        return base64.b64encode(raw).decode()
    if kind == "T":
        seconds = dict(_read(raw)).get(1)
        return None if seconds is None else stamp(datetime.fromtimestamp(_signed(seconds), UTC))
    if kind == "Q":
        return bytes(dict(_read(raw)).get(1, b"")).decode()
    if kind == "I":
        parts = dict(_read(raw))
        return bytes(parts.get(3, b"")).decode() if parts.get(1) else _signed(parts.get(2, 0))
    return _message(kind, raw)


def _signed(value: int) -> int:
    return value - 2 * _INT64 if value >= _INT64 else value
