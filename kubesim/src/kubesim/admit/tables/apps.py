"""The apps group. The notation is explained in ``kubesim.admit.schema``."""

TABLE = """
=Deployment spec:DeploymentSpec status:DeploymentStatus
=ReplicaSet spec:ReplicaSetSpec status:ReplicaSetStatus
=StatefulSet spec:StatefulSetSpec status:StatefulSetStatus
=DaemonSet spec:DaemonSetSpec status:DaemonSetStatus
=ControllerRevision data:any! revision:long!
DeploymentSpec replicas:int? selector:LabelSelector? template:PodTemplateSpec strategy:DeploymentStrategy
  minReadySeconds:int revisionHistoryLimit:int? paused:bool progressDeadlineSeconds:int?
DeploymentStatus observedGeneration:long replicas:int updatedReplicas:int readyReplicas:int availableReplicas:int
  unavailableReplicas:int terminatingReplicas:int? conditions:[DeploymentCondition:type] collisionCount:int?
ReplicaSetSpec replicas:int? minReadySeconds:int selector:LabelSelector? template:PodTemplateSpec
ReplicaSetStatus replicas:int! fullyLabeledReplicas:int readyReplicas:int availableReplicas:int
  terminatingReplicas:int? observedGeneration:long conditions:[ReplicaSetCondition:type]
StatefulSetSpec replicas:int? selector:LabelSelector? template:PodTemplateSpec
  volumeClaimTemplates:[PersistentVolumeClaim] serviceName:str! podManagementPolicy:str
  updateStrategy:StatefulSetUpdateStrategy revisionHistoryLimit:int? minReadySeconds:int
  persistentVolumeClaimRetentionPolicy:StatefulSetPersistentVolumeClaimRetentionPolicy? ordinals:StatefulSetOrdinals?
StatefulSetStatus observedGeneration:long replicas:int! readyReplicas:int currentReplicas:int updatedReplicas:int
  currentRevision:str updateRevision:str collisionCount:int? conditions:[StatefulSetCondition:type]
  availableReplicas:int!
DaemonSetSpec selector:LabelSelector? template:PodTemplateSpec updateStrategy:DaemonSetUpdateStrategy
  minReadySeconds:int revisionHistoryLimit:int?
DaemonSetStatus currentNumberScheduled:int! numberMisscheduled:int! desiredNumberScheduled:int! numberReady:int!
  observedGeneration:long updatedNumberScheduled:int numberAvailable:int numberUnavailable:int collisionCount:int?
  conditions:[DaemonSetCondition:type]
DeploymentStrategy type:str rollingUpdate:RollingUpdateDeployment?
DeploymentCondition type:str! status:str! lastUpdateTime:time! lastTransitionTime:time! reason:str message:str
ReplicaSetCondition type:str! status:str! lastTransitionTime:time! reason:str message:str
StatefulSetUpdateStrategy type:str rollingUpdate:RollingUpdateStatefulSetStrategy?
StatefulSetPersistentVolumeClaimRetentionPolicy whenDeleted:str whenScaled:str
StatefulSetOrdinals start:int!
StatefulSetCondition type:str! status:str! lastTransitionTime:time! reason:str message:str
DaemonSetUpdateStrategy type:str rollingUpdate:RollingUpdateDaemonSet?
DaemonSetCondition type:str! status:str! lastTransitionTime:time! reason:str message:str
RollingUpdateDeployment maxUnavailable:intstr? maxSurge:intstr?
RollingUpdateStatefulSetStrategy partition:int? maxUnavailable:intstr?
RollingUpdateDaemonSet maxUnavailable:intstr? maxSurge:intstr?
"""
