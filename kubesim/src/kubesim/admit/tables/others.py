"""All other groups. The notation is explained in ``kubesim.admit.schema``."""

TABLE = """
=Job spec:JobSpec status:JobStatus
=CronJob spec:CronJobSpec status:CronJobStatus
JobSpec parallelism:int? completions:int? activeDeadlineSeconds:long? podFailurePolicy:PodFailurePolicy?
  successPolicy:SuccessPolicy? backoffLimit:int? backoffLimitPerIndex:int? maxFailedIndexes:int?
  selector:LabelSelector? manualSelector:bool? template:PodTemplateSpec ttlSecondsAfterFinished:int?
  completionMode:str? suspend:bool? podReplacementPolicy:str? managedBy:str?
JobStatus conditions:[JobCondition/type] startTime:time completionTime:time active:int succeeded:int failed:int
  terminating:int? completedIndexes:str failedIndexes:str? uncountedTerminatedPods:UncountedTerminatedPods? ready:int?
CronJobSpec schedule:str! timeZone:str? startingDeadlineSeconds:long? concurrencyPolicy:str suspend:bool?
  jobTemplate:JobTemplateSpec successfulJobsHistoryLimit:int? failedJobsHistoryLimit:int?
CronJobStatus active:[ObjectReference] lastScheduleTime:time lastSuccessfulTime:time
PodFailurePolicy rules:[PodFailurePolicyRule]!
SuccessPolicy rules:[SuccessPolicyRule]!
JobCondition type:str! status:str! lastProbeTime:time! lastTransitionTime:time! reason:str message:str
UncountedTerminatedPods succeeded:[str:set/-] failed:[str:set/-]
JobTemplateSpec metadata:ObjectMeta spec:JobSpec
PodFailurePolicyRule action:str! onExitCodes:PodFailurePolicyOnExitCodesRequirement?
  onPodConditions:[PodFailurePolicyOnPodConditionsPattern]
SuccessPolicyRule succeededIndexes:str? succeededCount:int?
PodFailurePolicyOnExitCodesRequirement containerName:str? operator:str! values:[int:set/-]!
PodFailurePolicyOnPodConditionsPattern type:str! status:str!
=Ingress spec:IngressSpec status:IngressStatus
=NetworkPolicy spec:NetworkPolicySpec
=IngressClass spec:IngressClassSpec
IngressSpec ingressClassName:str? defaultBackend:IngressBackend? tls:[IngressTLS] rules:[IngressRule]
IngressStatus loadBalancer:IngressLoadBalancerStatus
NetworkPolicySpec podSelector:LabelSelector ingress:[NetworkPolicyIngressRule] egress:[NetworkPolicyEgressRule]
  policyTypes:[str]
IngressClassSpec controller:str parameters:IngressClassParametersReference?
IngressBackend service:IngressServiceBackend? resource:TypedLocalObjectReference?
IngressTLS hosts:[str] secretName:str
IngressRule host:str http:HTTPIngressRuleValue?
IngressLoadBalancerStatus ingress:[IngressLoadBalancerIngress]
NetworkPolicyIngressRule ports:[NetworkPolicyPort] from:[NetworkPolicyPeer]
NetworkPolicyEgressRule ports:[NetworkPolicyPort] to:[NetworkPolicyPeer]
IngressClassParametersReference apiGroup:str? kind:str! name:str! scope:str? namespace:str?
IngressServiceBackend name:str! port:ServiceBackendPort
HTTPIngressRuleValue paths:[HTTPIngressPath]!
IngressLoadBalancerIngress ip:str hostname:str ports:[IngressPortStatus]
NetworkPolicyPort protocol:str? port:intstr? endPort:int?
NetworkPolicyPeer podSelector:LabelSelector? namespaceSelector:LabelSelector? ipBlock:IPBlock?
@ServiceBackendPort name:str number:int
HTTPIngressPath path:str pathType:str? backend:IngressBackend
IngressPortStatus port:int! protocol:str! error:str?
IPBlock cidr:str! except:[str]
=Role rules:[PolicyRule]!
=RoleBinding subjects:[Subject] roleRef:RoleRef
=ClusterRole rules:[PolicyRule]! aggregationRule:AggregationRule?
=ClusterRoleBinding subjects:[Subject] roleRef:RoleRef
PolicyRule verbs:[str]! apiGroups:[str] resources:[str] resourceNames:[str] nonResourceURLs:[str]
@Subject kind:str! apiGroup:str name:str! namespace:str
@RoleRef apiGroup:str! kind:str! name:str!
AggregationRule clusterRoleSelectors:[LabelSelector]
=StorageClass provisioner:str! parameters:{str} reclaimPolicy:str? mountOptions:[str] allowVolumeExpansion:bool?
  volumeBindingMode:str? allowedTopologies:[TopologySelectorTerm]
=HorizontalPodAutoscaler spec:HorizontalPodAutoscalerSpec status:HorizontalPodAutoscalerStatus
HorizontalPodAutoscalerSpec scaleTargetRef:CrossVersionObjectReference minReplicas:int? maxReplicas:int!
  metrics:[MetricSpec] behavior:HorizontalPodAutoscalerBehavior?
HorizontalPodAutoscalerStatus observedGeneration:long? lastScaleTime:time currentReplicas:int desiredReplicas:int!
  currentMetrics:[MetricStatus]! conditions:[HorizontalPodAutoscalerCondition:type]
CrossVersionObjectReference kind:str! name:str! apiVersion:str
MetricSpec type:str! object:ObjectMetricSource? pods:PodsMetricSource? resource:ResourceMetricSource?
  containerResource:ContainerResourceMetricSource? external:ExternalMetricSource?
HorizontalPodAutoscalerBehavior scaleUp:HPAScalingRules? scaleDown:HPAScalingRules?
MetricStatus type:str! object:ObjectMetricStatus? pods:PodsMetricStatus? resource:ResourceMetricStatus?
  containerResource:ContainerResourceMetricStatus? external:ExternalMetricStatus?
HorizontalPodAutoscalerCondition type:str! status:str! lastTransitionTime:time! reason:str message:str
  observedGeneration:long?
ObjectMetricSource describedObject:CrossVersionObjectReference target:MetricTarget metric:MetricIdentifier
PodsMetricSource metric:MetricIdentifier target:MetricTarget
ResourceMetricSource name:str! target:MetricTarget
ContainerResourceMetricSource name:str! target:MetricTarget container:str!
ExternalMetricSource metric:MetricIdentifier target:MetricTarget
HPAScalingRules stabilizationWindowSeconds:int? selectPolicy:str? policies:[HPAScalingPolicy] tolerance:qty?
ObjectMetricStatus metric:MetricIdentifier current:MetricValueStatus describedObject:CrossVersionObjectReference
PodsMetricStatus metric:MetricIdentifier current:MetricValueStatus
ResourceMetricStatus name:str! current:MetricValueStatus
ContainerResourceMetricStatus name:str! current:MetricValueStatus container:str!
ExternalMetricStatus metric:MetricIdentifier current:MetricValueStatus
MetricTarget type:str! value:qty? averageValue:qty? averageUtilization:int?
MetricIdentifier name:str! selector:LabelSelector?
HPAScalingPolicy type:str! value:int! periodSeconds:int!
MetricValueStatus value:qty? averageValue:qty? averageUtilization:int?
=PodDisruptionBudget spec:PodDisruptionBudgetSpec status:PodDisruptionBudgetStatus
PodDisruptionBudgetSpec minAvailable:intstr? selector:LabelSelector? maxUnavailable:intstr?
  unhealthyPodEvictionPolicy:str?
PodDisruptionBudgetStatus observedGeneration:long disruptedPods:{time} disruptionsAllowed:int! currentHealthy:int!
  desiredHealthy:int! expectedPods:int! conditions:[Condition:type]
=Lease spec:LeaseSpec
LeaseSpec holderIdentity:str? leaseDurationSeconds:int? acquireTime:time renewTime:time leaseTransitions:int?
  strategy:str? preferredHolder:str?
=EndpointSlice addressType:str! endpoints:[Endpoint]! ports:[SlicePort]!
Endpoint addresses:[str:set/-]! conditions:EndpointConditions hostname:str? targetRef:ObjectReference?
  deprecatedTopology:{str} nodeName:str? zone:str? hints:EndpointHints?
@SlicePort name:str? protocol:str? port:int? appProtocol:str?
EndpointConditions ready:bool? serving:bool? terminating:bool?
EndpointHints forZones:[ForZone] forNodes:[ForNode]
ForZone name:str!
ForNode name:str!
"""
