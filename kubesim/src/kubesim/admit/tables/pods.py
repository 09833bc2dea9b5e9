"""Pods: everything below a pod template. The notation is explained in ``kubesim.admit.schema``."""

TABLE = """
=Pod spec:PodSpec status:PodStatus
PodSpec volumes:[Volume:name] initContainers:[Container:name] containers:[Container:name]!
  ephemeralContainers:[EphemeralContainer:name] restartPolicy:str terminationGracePeriodSeconds:long?
  activeDeadlineSeconds:long? dnsPolicy:str nodeSelector:{str=} serviceAccountName:str serviceAccount:str
  automountServiceAccountToken:bool? nodeName:str hostNetwork:bool hostPID:bool hostIPC:bool
  shareProcessNamespace:bool? securityContext:PodSecurityContext? imagePullSecrets:[LocalObjectReference:name]
  hostname:str subdomain:str affinity:Affinity? schedulerName:str tolerations:[Toleration] hostAliases:[HostAlias:ip]
  priorityClassName:str priority:int? dnsConfig:PodDNSConfig? readinessGates:[PodReadinessGate] runtimeClassName:str?
  enableServiceLinks:bool? preemptionPolicy:str? overhead:{qty}
  topologySpreadConstraints:[TopologySpreadConstraint:topologyKey,whenUnsatisfiable] setHostnameAsFQDN:bool? os:PodOS?
  hostUsers:bool? hostnameOverride:str? schedulingGates:[PodSchedulingGate:name]
  resourceClaims:[PodResourceClaim:name]
  resources:ResourceRequirements?
PodStatus observedGeneration:long phase:str conditions:[PodCondition:type] message:str reason:str nominatedNodeName:str
  hostIP:str hostIPs:[HostIP/ip] podIP:str podIPs:[PodIP:ip] startTime:time initContainerStatuses:[ContainerStatus]
  containerStatuses:[ContainerStatus] qosClass:str ephemeralContainerStatuses:[ContainerStatus] resize:str
  resourceClaimStatuses:[PodResourceClaimStatus:name] allocatedResources:{qty} resources:ResourceRequirements?
@LocalObjectReference name:str
PodTemplateSpec metadata:ObjectMeta spec:PodSpec
Volume name:str! hostPath:HostPathVolumeSource? emptyDir:EmptyDirVolumeSource? gcePersistentDisk:any?
  awsElasticBlockStore:any? gitRepo:any? secret:SecretVolumeSource? nfs:NFSVolumeSource? iscsi:any? glusterfs:any?
  persistentVolumeClaim:PersistentVolumeClaimVolumeSource? rbd:any? flexVolume:any? cinder:any? cephfs:any?
  flocker:any? downwardAPI:DownwardAPIVolumeSource? fc:any? azureFile:any? configMap:ConfigMapVolumeSource?
  vsphereVolume:any? quobyte:any? azureDisk:any? photonPersistentDisk:any? projected:ProjectedVolumeSource?
  portworxVolume:any? scaleIO:any? storageos:any? csi:CSIVolumeSource? ephemeral:EphemeralVolumeSource?
  image:ImageVolumeSource?
Container name:str! image:str command:[str] args:[str] workingDir:str ports:[ContainerPort:containerPort,protocol=TCP]
  envFrom:[EnvFromSource] env:[EnvVar:name] resources:ResourceRequirements resizePolicy:[ContainerResizePolicy]
  restartPolicy:str? restartPolicyRules:[ContainerRestartRule] volumeMounts:[VolumeMount:mountPath]
  volumeDevices:[VolumeDevice:devicePath] livenessProbe:Probe?
  readinessProbe:Probe? startupProbe:Probe? lifecycle:Lifecycle? terminationMessagePath:str
  terminationMessagePolicy:str imagePullPolicy:str securityContext:SecurityContext? stdin:bool stdinOnce:bool tty:bool
EphemeralContainer name:str! image:str command:[str] args:[str] workingDir:str
  ports:[ContainerPort:containerPort,protocol=TCP] envFrom:[EnvFromSource] env:[EnvVar:name]
  resources:ResourceRequirements resizePolicy:[ContainerResizePolicy] restartPolicy:str?
  restartPolicyRules:[ContainerRestartRule] volumeMounts:[VolumeMount:mountPath]
  volumeDevices:[VolumeDevice:devicePath] livenessProbe:Probe?
  readinessProbe:Probe? startupProbe:Probe? lifecycle:Lifecycle? terminationMessagePath:str
  terminationMessagePolicy:str imagePullPolicy:str securityContext:SecurityContext? stdin:bool stdinOnce:bool tty:bool
  targetContainerName:str
PodSecurityContext seLinuxOptions:SELinuxOptions? windowsOptions:WindowsSecurityContextOptions? runAsUser:long?
  runAsGroup:long? runAsNonRoot:bool? supplementalGroups:[long] supplementalGroupsPolicy:str? fsGroup:long?
  sysctls:[Sysctl] fsGroupChangePolicy:str? seccompProfile:SeccompProfile? appArmorProfile:AppArmorProfile?
  seLinuxChangePolicy:str?
Affinity nodeAffinity:NodeAffinity? podAffinity:PodAffinity? podAntiAffinity:PodAntiAffinity?
Toleration key:str operator:str value:str effect:str tolerationSeconds:long?
HostAlias ip:str! hostnames:[str]
PodDNSConfig nameservers:[str] searches:[str] options:[PodDNSConfigOption]
PodReadinessGate conditionType:str!
TopologySpreadConstraint maxSkew:int! topologyKey:str! whenUnsatisfiable:str! labelSelector:LabelSelector?
  minDomains:int? nodeAffinityPolicy:str? nodeTaintsPolicy:str? matchLabelKeys:[str]
PodOS name:str!
PodSchedulingGate name:str!
PodResourceClaim name:str! resourceClaimName:str? resourceClaimTemplateName:str?
ResourceRequirements limits:{qty} requests:{qty} claims:[ResourceClaim:name/-]
PodCondition type:str! observedGeneration:long status:str! lastProbeTime:time! lastTransitionTime:time! reason:str
  message:str
PodIP ip:str!
ContainerStatus name:str! state:ContainerState lastState:ContainerState ready:bool! restartCount:int! image:str!
  imageID:str! containerID:str started:bool? allocatedResources:{qty} resources:ResourceRequirements?
  volumeMounts:[VolumeMountStatus:mountPath] user:ContainerUser? allocatedResourcesStatus:[ResourceStatus:name]
PodResourceClaimStatus name:str! resourceClaimName:str?
ContainerImage names:[str]! sizeBytes:long
VolumeResourceRequirements limits:{qty} requests:{qty}
@TypedLocalObjectReference apiGroup:str? kind:str! name:str!
TypedObjectReference apiGroup:str? kind:str! name:str! namespace:str?
HostPathVolumeSource path:str! type:str?
NFSVolumeSource server:str! path:str! readOnly:bool
EmptyDirVolumeSource medium:str sizeLimit:qty?
SecretVolumeSource secretName:str items:[KeyToPath] defaultMode:int? optional:bool?
DownwardAPIVolumeSource items:[DownwardAPIVolumeFile] defaultMode:int?
ConfigMapVolumeSource name:str items:[KeyToPath] defaultMode:int? optional:bool?
ProjectedVolumeSource sources:[VolumeProjection]! defaultMode:int?
CSIVolumeSource driver:str! readOnly:bool? fsType:str? volumeAttributes:{str}
  nodePublishSecretRef:LocalObjectReference?
EphemeralVolumeSource volumeClaimTemplate:PersistentVolumeClaimTemplate?
ImageVolumeSource reference:str pullPolicy:str
ContainerPort name:str hostPort:int containerPort:int! protocol:str hostIP:str
EnvFromSource prefix:str configMapRef:ConfigMapEnvSource? secretRef:SecretEnvSource?
EnvVar name:str! value:str valueFrom:EnvVarSource?
ContainerResizePolicy resourceName:str! restartPolicy:str!
VolumeMount name:str! readOnly:bool recursiveReadOnly:str? mountPath:str! subPath:str mountPropagation:str?
  subPathExpr:str
VolumeDevice name:str! devicePath:str!
Probe exec:ExecAction? httpGet:HTTPGetAction? tcpSocket:TCPSocketAction? grpc:GRPCAction? initialDelaySeconds:int
  timeoutSeconds:int periodSeconds:int successThreshold:int failureThreshold:int terminationGracePeriodSeconds:long?
Lifecycle postStart:LifecycleHandler? preStop:LifecycleHandler? stopSignal:str?
ContainerRestartRule action:str exitCodes:ContainerRestartRuleOnExitCodes?
ContainerRestartRuleOnExitCodes operator:str values:[int:set/-]
@FileKeySelector volumeName:str! path:str! key:str! optional:bool?
SecurityContext capabilities:Capabilities? privileged:bool? seLinuxOptions:SELinuxOptions?
  windowsOptions:WindowsSecurityContextOptions? runAsUser:long? runAsGroup:long? runAsNonRoot:bool?
  readOnlyRootFilesystem:bool? allowPrivilegeEscalation:bool? procMount:str? seccompProfile:SeccompProfile?
  appArmorProfile:AppArmorProfile?
SELinuxOptions user:str role:str type:str level:str
WindowsSecurityContextOptions gmsaCredentialSpecName:str? gmsaCredentialSpec:str? runAsUserName:str? hostProcess:bool?
Sysctl name:str! value:str!
SeccompProfile type:str! localhostProfile:str?
AppArmorProfile type:str! localhostProfile:str?
NodeAffinity requiredDuringSchedulingIgnoredDuringExecution:NodeSelector?
  preferredDuringSchedulingIgnoredDuringExecution:[PreferredSchedulingTerm]
PodAffinity requiredDuringSchedulingIgnoredDuringExecution:[PodAffinityTerm]
  preferredDuringSchedulingIgnoredDuringExecution:[WeightedPodAffinityTerm]
PodAntiAffinity requiredDuringSchedulingIgnoredDuringExecution:[PodAffinityTerm]
  preferredDuringSchedulingIgnoredDuringExecution:[WeightedPodAffinityTerm]
PodDNSConfigOption name:str value:str?
ResourceClaim name:str! request:str
ContainerState waiting:ContainerStateWaiting? running:ContainerStateRunning? terminated:ContainerStateTerminated?
ContainerUser linux:LinuxContainerUser?
@NodeSelector nodeSelectorTerms:[NodeSelectorTerm]!
KeyToPath key:str! path:str! mode:int?
DownwardAPIVolumeFile path:str! fieldRef:ObjectFieldSelector? resourceFieldRef:ResourceFieldSelector? mode:int?
VolumeProjection secret:SecretProjection? downwardAPI:DownwardAPIProjection? configMap:ConfigMapProjection?
  serviceAccountToken:ServiceAccountTokenProjection? clusterTrustBundle:ClusterTrustBundleProjection?
ConfigMapEnvSource name:str optional:bool?
SecretEnvSource name:str optional:bool?
EnvVarSource fieldRef:ObjectFieldSelector? resourceFieldRef:ResourceFieldSelector?
  configMapKeyRef:ConfigMapKeySelector? secretKeyRef:SecretKeySelector? fileKeyRef:FileKeySelector?
ExecAction command:[str]
HTTPGetAction path:str port:intstr! host:str scheme:str httpHeaders:[HTTPHeader]
TCPSocketAction port:intstr! host:str
GRPCAction port:int! service:str?
LifecycleHandler exec:ExecAction? httpGet:HTTPGetAction? tcpSocket:TCPSocketAction? sleep:SleepAction?
Capabilities add:[str] drop:[str]
PreferredSchedulingTerm weight:int! preference:NodeSelectorTerm
PodAffinityTerm labelSelector:LabelSelector? namespaces:[str] topologyKey:str! namespaceSelector:LabelSelector?
  matchLabelKeys:[str] mismatchLabelKeys:[str]
WeightedPodAffinityTerm weight:int! podAffinityTerm:PodAffinityTerm
ContainerStateWaiting reason:str message:str
ContainerStateRunning startedAt:time!
ContainerStateTerminated exitCode:int! signal:int reason:str message:str startedAt:time! finishedAt:time!
  containerID:str
@NodeSelectorTerm matchExpressions:[NodeSelectorRequirement] matchFields:[NodeSelectorRequirement]
@ObjectFieldSelector apiVersion:str fieldPath:str!
@ResourceFieldSelector containerName:str resource:str! divisor:qty!
SecretProjection name:str items:[KeyToPath] optional:bool?
DownwardAPIProjection items:[DownwardAPIVolumeFile]
ConfigMapProjection name:str items:[KeyToPath] optional:bool?
ServiceAccountTokenProjection audience:str expirationSeconds:long? path:str!
ClusterTrustBundleProjection name:str? signerName:str? labelSelector:LabelSelector? optional:bool? path:str!
@ConfigMapKeySelector name:str key:str! optional:bool?
@SecretKeySelector name:str key:str! optional:bool?
HTTPHeader name:str! value:str!
SleepAction seconds:long!
NodeSelectorRequirement key:str! operator:str! values:[str]
"""
