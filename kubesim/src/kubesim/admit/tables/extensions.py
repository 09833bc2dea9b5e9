"""What extends the API: definitions of custom resources, API services, webhooks. And classes of priority.

The notation is explained in ``kubesim.admit.schema``.
"""

TABLE = """
=CustomResourceDefinition spec:CustomResourceDefinitionSpec status:CustomResourceDefinitionStatus
CustomResourceDefinitionSpec group:str! names:CustomResourceDefinitionNames scope:str!
  versions:[CustomResourceDefinitionVersion]! conversion:CustomResourceConversion? preserveUnknownFields:bool
CustomResourceDefinitionNames plural:str! singular:str shortNames:[str] kind:str! listKind:str categories:[str]
CustomResourceDefinitionStatus conditions:[CustomResourceDefinitionCondition:type]!
  acceptedNames:CustomResourceDefinitionNames storedVersions:[str]! observedGeneration:long
CustomResourceDefinitionCondition type:str! status:str! lastTransitionTime:time! reason:str message:str
  observedGeneration:long
CustomResourceDefinitionVersion name:str! served:bool! storage:bool! deprecated:bool deprecationWarning:str?
  schema:CustomResourceValidation? subresources:CustomResourceSubresources?
  additionalPrinterColumns:[CustomResourceColumnDefinition] selectableFields:[SelectableField]
CustomResourceConversion strategy:str! webhook:WebhookConversion?
WebhookConversion clientConfig:WebhookClientConfig? conversionReviewVersions:[str]!
CustomResourceValidation openAPIV3Schema:JSONSchemaProps?
CustomResourceSubresources status:CustomResourceSubresourceStatus? scale:CustomResourceSubresourceScale?
CustomResourceSubresourceStatus
CustomResourceSubresourceScale specReplicasPath:str! statusReplicasPath:str! labelSelectorPath:str?
CustomResourceColumnDefinition name:str! type:str! format:str description:str priority:int jsonPath:str!
SelectableField jsonPath:str!
JSONSchemaProps id:str $schema:str $ref:str? description:str type:str format:str title:str default:any? maximum:num?
  exclusiveMaximum:bool minimum:num? exclusiveMinimum:bool maxLength:long? minLength:long? pattern:str maxItems:long?
  minItems:long? uniqueItems:bool multipleOf:num? enum:[any] maxProperties:long? minProperties:long? required:[str]
  items:any? allOf:[JSONSchemaProps] oneOf:[JSONSchemaProps] anyOf:[JSONSchemaProps] not:JSONSchemaProps?
  properties:{JSONSchemaProps} additionalProperties:any? patternProperties:{JSONSchemaProps} dependencies:any
  additionalItems:any? definitions:{JSONSchemaProps} externalDocs:ExternalDocumentation? example:any? nullable:bool
  x-kubernetes-preserve-unknown-fields:bool? x-kubernetes-embedded-resource:bool x-kubernetes-int-or-string:bool
  x-kubernetes-list-map-keys:[str] x-kubernetes-list-type:str? x-kubernetes-map-type:str?
  x-kubernetes-validations:[ValidationRule:rule]
ExternalDocumentation description:str url:str
ValidationRule rule:str! message:str messageExpression:str reason:str? fieldPath:str optionalOldSelf:bool?
=APIService spec:APIServiceSpec status:APIServiceStatus
APIServiceSpec service:WebhookService? group:str version:str insecureSkipTLSVerify:bool caBundle:bytes
  groupPriorityMinimum:int! versionPriority:int!
APIServiceStatus conditions:[APIServiceCondition:type]
APIServiceCondition type:str! status:str! lastTransitionTime:time! reason:str message:str
=ValidatingWebhookConfiguration webhooks:[ValidatingWebhook:name]
=MutatingWebhookConfiguration webhooks:[MutatingWebhook:name]
ValidatingWebhook name:str! clientConfig:WebhookClientConfig rules:[RuleWithOperations] failurePolicy:str?
  matchPolicy:str? namespaceSelector:LabelSelector? objectSelector:LabelSelector? sideEffects:str? timeoutSeconds:int?
  admissionReviewVersions:[str]! matchConditions:[MatchCondition:name]
MutatingWebhook name:str! clientConfig:WebhookClientConfig rules:[RuleWithOperations] failurePolicy:str?
  matchPolicy:str? namespaceSelector:LabelSelector? objectSelector:LabelSelector? sideEffects:str? timeoutSeconds:int?
  admissionReviewVersions:[str]! reinvocationPolicy:str? matchConditions:[MatchCondition:name]
WebhookClientConfig url:str? service:WebhookService? caBundle:bytes
WebhookService namespace:str name:str path:str? port:int?
RuleWithOperations operations:[str] apiGroups:[str] apiVersions:[str] resources:[str] scope:str?
MatchCondition name:str! expression:str!
=PriorityClass value:int! globalDefault:bool description:str preemptionPolicy:str?
"""
