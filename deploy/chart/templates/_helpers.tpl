{{- define "kubemin.selector" -}}
app.kubernetes.io/name: kubemin
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{/* Of Pods: another version of the chart alone starts none anew. */}}
{{- define "kubemin.podLabels" -}}
{{ include "kubemin.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- end }}

{{- define "kubemin.labels" -}}
{{ include "kubemin.podLabels" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "kubemin.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* What makes a server accept an address that others can reach. What a Secret holds is not seen here; the server looks. */}}
{{- define "kubemin.auth" -}}
{{- $given := .Values.auth.settings }}
{{- if not (or .Values.auth.secretName (eq (get $given "KUBEMIN_AUTH" | toString) "token") (get $given "KUBEMIN_OIDC_ISSUER")) }}
{{- fail "auth: say who may use the API, by KUBEMIN_AUTH=token or KUBEMIN_OIDC_ISSUER in auth.settings, or in the Secret auth.secretName. Without it a server listens on loopback addresses only, and nobody could reach it." }}
{{- end }}
{{- end }}

{{/* Names under which the API is reached within the cluster, by an Ingress, and what else is given. */}}
{{- define "kubemin.hosts" -}}
{{- $name := .Release.Name }}
{{- $space := .Release.Namespace }}
{{- $own := list $name (printf "%s.%s" $name $space) (printf "%s.%s.svc" $name $space) (printf "%s.%s.svc.cluster.local" $name $space) }}
{{- $ingress := .Values.ingress.enabled | ternary .Values.ingress.hosts list }}
{{- concat $own $ingress .Values.api.allowedHosts | uniq | join "," }}
{{- end }}

{{/* One variable for each setting of a map. */}}
{{- define "kubemin.env" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ if and (kindIs "float64" $value) (eq (floor $value) $value) }}{{ int64 $value | quote }}{{ else }}{{ $value | quote }}{{ end }}
{{- end }}
{{- end }}

{{/* What API, workers and migration have in common: `restricted` of the Pod Security Standards. */}}
{{- define "kubemin.pod" -}}
enableServiceLinks: false # a Service `kubemin` would set KUBEMIN_PORT
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.podSpec }}
{{ toYaml . }}
{{- end }}
volumes:
  - name: tmp
    emptyDir: {sizeLimit: 64Mi}
{{- with .Values.volumes }}
{{ toYaml . | indent 2 }}
{{- end }}
{{- end }}

{{- define "kubemin.container" -}}
image: {{ include "kubemin.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
  - name: tmp
    mountPath: /tmp
{{- with .Values.volumeMounts }}
{{ toYaml . | indent 2 }}
{{- end }}
{{- end }}

{{- define "kubemin.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "kubemin.selector" . | nindent 8 }}
{{- end }}

{{/* Liveness and start: the process answers. Readiness: what it stands on. */}}
{{- define "kubemin.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: health}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: health}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: health}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
{{- end }}

{{/* How long the oldest task of these clusters has waited, of all where none is named; 0 where none waits. */}}
{{- define "kubemin.queueAge" -}}
{{- if . -}}
max(kubemin_queue_oldest_task_age_by_cluster_seconds{cluster=~"{{ join "|" . }}"}) or vector(0)
{{- else -}}
max(kubemin_queue_oldest_task_age_seconds)
{{- end }}
{{- end }}
