"""The core group but for pods. The notation is explained in ``kubesim.admit.schema``."""

TABLE = """
=Namespace spec:NamespaceSpec status:NamespaceStatus
=Node spec:NodeSpec status:NodeStatus
=Service spec:ServiceSpec status:ServiceStatus
=Endpoints subsets:[EndpointSubset]
=ConfigMap immutable:bool? data:{str} binaryData:{bytes}
=Secret immutable:bool? data:{bytes} stringData:{str} type:str
=PersistentVolumeClaim spec:PersistentVolumeClaimSpec status:PersistentVolumeClaimStatus
=PersistentVolume spec:PersistentVolumeSpec status:PersistentVolumeStatus
=ServiceAccount secrets:[ObjectReference:name] imagePullSecrets:[LocalObjectReference]
  automountServiceAccountToken:bool?
=Event involvedObject:ObjectReference reason:str message:str source:EventSource firstTimestamp:time! lastTimestamp:time!
  count:int type:str eventTime:time! series:EventSeries? action:str related:ObjectReference? reportingComponent:str!
  reportingInstance:str! regarding:ObjectReference?
  note:str reportingController:str deprecatedSource:EventSource? deprecatedFirstTimestamp:time
  deprecatedLastTimestamp:time deprecatedCount:int
=ResourceQuota spec:ResourceQuotaSpec status:ResourceQuotaStatus
=LimitRange spec:LimitRangeSpec
=ReplicationController spec:ReplicationControllerSpec status:ReplicationControllerStatus
NamespaceSpec finalizers:[str]
NamespaceStatus phase:str conditions:[NamespaceCondition:type]
NodeSpec podCIDR:str podCIDRs:[str:set] providerID:str unschedulable:bool taints:[Taint] externalID:str
NodeStatus capacity:{qty} allocatable:{qty} phase:str conditions:[NodeCondition:type] addresses:[NodeAddress:type]
  daemonEndpoints:NodeDaemonEndpoints nodeInfo:NodeSystemInfo images:[ContainerImage] volumesInUse:[str]
  volumesAttached:[AttachedVolume]
ServiceSpec ports:[ServicePort:port,protocol=TCP] selector:{str=} clusterIP:str clusterIPs:[str] type:str
  externalIPs:[str] sessionAffinity:str loadBalancerIP:str loadBalancerSourceRanges:[str] externalName:str
  externalTrafficPolicy:str healthCheckNodePort:int publishNotReadyAddresses:bool
  sessionAffinityConfig:SessionAffinityConfig? ipFamilies:[str] ipFamilyPolicy:str?
  allocateLoadBalancerNodePorts:bool? loadBalancerClass:str? internalTrafficPolicy:str? trafficDistribution:str?
ServiceStatus loadBalancer:LoadBalancerStatus conditions:[Condition:type]
EndpointSubset addresses:[EndpointAddress] notReadyAddresses:[EndpointAddress] ports:[EndpointPort]
PersistentVolumeClaimSpec accessModes:[str] selector:LabelSelector? resources:VolumeResourceRequirements
  volumeName:str storageClassName:str? volumeMode:str? dataSource:TypedLocalObjectReference?
  dataSourceRef:TypedObjectReference? volumeAttributesClassName:str?
PersistentVolumeClaimStatus phase:str accessModes:[str] capacity:{qty}
  conditions:[PersistentVolumeClaimCondition:type] allocatedResources:{qty} allocatedResourceStatuses:{str}
  currentVolumeAttributesClassName:str? modifyVolumeStatus:ModifyVolumeStatus?
PersistentVolumeSpec capacity:{qty} gcePersistentDisk:any? awsElasticBlockStore:any? hostPath:HostPathVolumeSource?
  glusterfs:any? nfs:NFSVolumeSource? rbd:any? iscsi:any? cinder:any? cephfs:any? fc:any? flocker:any? flexVolume:any?
  azureFile:any? vsphereVolume:any? quobyte:any? azureDisk:any? photonPersistentDisk:any? portworxVolume:any?
  scaleIO:any? local:LocalVolumeSource? storageos:any? csi:CSIPersistentVolumeSource? accessModes:[str]
  claimRef:ClaimReference? persistentVolumeReclaimPolicy:str storageClassName:str mountOptions:[str] volumeMode:str?
  nodeAffinity:VolumeNodeAffinity? volumeAttributesClassName:str?
PersistentVolumeStatus phase:str message:str reason:str lastPhaseTransitionTime:time
@ObjectReference kind:str namespace:str name:str uid:str apiVersion:str resourceVersion:str fieldPath:str
EventSource component:str host:str
EventSeries count:int lastObservedTime:time!
ResourceQuotaSpec hard:{qty} scopes:[str] scopeSelector:ScopeSelector?
ResourceQuotaStatus hard:{qty} used:{qty}
LimitRangeSpec limits:[LimitRangeItem]!
ReplicationControllerSpec replicas:int? minReadySeconds:int selector:{str=} template:PodTemplateSpec?
ReplicationControllerStatus replicas:int! fullyLabeledReplicas:int readyReplicas:int availableReplicas:int
  observedGeneration:long conditions:[ReplicationControllerCondition:type]
@TopologySelectorTerm matchLabelExpressions:[TopologySelectorLabelRequirement]
HostIP ip:str!
NamespaceCondition type:str! status:str! lastTransitionTime:time! reason:str message:str
Taint key:str! value:str effect:str! timeAdded:time
NodeCondition type:str! status:str! lastHeartbeatTime:time! lastTransitionTime:time! reason:str message:str
NodeAddress type:str! address:str!
NodeDaemonEndpoints kubeletEndpoint:DaemonEndpoint
NodeSystemInfo machineID:str! systemUUID:str! bootID:str! kernelVersion:str! osImage:str! containerRuntimeVersion:str!
  kubeletVersion:str! kubeProxyVersion:str! operatingSystem:str! architecture:str! swap:NodeSwapStatus?
AttachedVolume name:str! devicePath:str!
ServicePort name:str protocol:str appProtocol:str? port:int! targetPort:intstr! nodePort:int
SessionAffinityConfig clientIP:ClientIPConfig?
LoadBalancerStatus ingress:[LoadBalancerIngress]
@EndpointAddress ip:str! hostname:str nodeName:str? targetRef:ObjectReference?
@EndpointPort name:str port:int! protocol:str appProtocol:str?
PersistentVolumeClaimCondition type:str! status:str! lastProbeTime:time! lastTransitionTime:time! reason:str message:str
ModifyVolumeStatus targetVolumeAttributesClassName:str status:str!
LocalVolumeSource path:str! fsType:str?
CSIPersistentVolumeSource driver:str! volumeHandle:str! readOnly:bool fsType:str volumeAttributes:{str}
  controllerPublishSecretRef:SecretReference? nodeStageSecretRef:SecretReference?
  nodePublishSecretRef:SecretReference? controllerExpandSecretRef:SecretReference?
  nodeExpandSecretRef:SecretReference?
VolumeNodeAffinity required:NodeSelector?
@ScopeSelector matchExpressions:[ScopedResourceSelectorRequirement]
LimitRangeItem type:str! max:{qty} min:{qty} default:{qty} defaultRequest:{qty} maxLimitRequestRatio:{qty}
ReplicationControllerCondition type:str! status:str! lastTransitionTime:time! reason:str message:str
TopologySelectorLabelRequirement key:str! values:[str]!
PersistentVolumeClaimVolumeSource claimName:str! readOnly:bool
VolumeMountStatus name:str! mountPath:str! readOnly:bool recursiveReadOnly:str? volumeStatus:VolumeStatus?
ResourceStatus name:str! resources:[ResourceHealth:resourceID/-]
DaemonEndpoint Port:int!
NodeSwapStatus capacity:long?
ClientIPConfig timeoutSeconds:int?
LoadBalancerIngress ip:str hostname:str ipMode:str? ports:[PortStatus]
@SecretReference name:str namespace:str
ScopedResourceSelectorRequirement scopeName:str! operator:str! values:[str]
PersistentVolumeClaimTemplate metadata:ObjectMeta spec:PersistentVolumeClaimSpec
VolumeStatus image:ImageVolumeStatus?
LinuxContainerUser uid:long! gid:long! supplementalGroups:[long]
ResourceHealth resourceID:str! health:str message:str?
PortStatus port:int! protocol:str! error:str?
ImageVolumeStatus imageRef:str
ClaimReference kind:str namespace:str name:str uid:str apiVersion:str resourceVersion:str fieldPath:str
"""
