"""Metadata and selectors, shared by every kind. The notation is explained in ``kubesim.admit.schema``."""

TABLE = """
ObjectMeta name:str generateName:str namespace:str selfLink:str uid:str resourceVersion:str generation:long
  creationTimestamp:time deletionTimestamp:time deletionGracePeriodSeconds:long? labels:{str} annotations:{str}
  ownerReferences:[OwnerReference:uid] finalizers:[str:set] managedFields:[ManagedFieldsEntry]?
@OwnerReference apiVersion:str! kind:str! name:str! uid:str! controller:bool? blockOwnerDeletion:bool?
ManagedFieldsEntry manager:str operation:str apiVersion:str time:time fieldsType:str fieldsV1:any? subresource:str
Condition type:str! status:str! observedGeneration:long lastTransitionTime:time! reason:str! message:str!
@LabelSelector matchLabels:{str} matchExpressions:[LabelSelectorRequirement]
LabelSelectorRequirement key:str! operator:str! values:[str]
"""
