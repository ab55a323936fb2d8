{{/* What every pod has. */}}

{{/* Nobody's user, and a group that may read the token of IRSA. */}}
{{- define "sluice.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "sluice.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Labels of a pod. Takes [context, part]. */}}
{{- define "sluice.podLabels" -}}
{{- $top := index . 0 -}}
{{ include "sluice.labels" . }}
{{- with (index $top.Values (index . 1)).podLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "sluice.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Where a pod may run. Takes [context, part]. */}}
{{- define "sluice.placement" -}}
{{- $values := index (index . 0).Values (index . 1) -}}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Copies of one revision over zones and nodes. Takes [context, part]. */}}
{{- define "sluice.spread" -}}
{{- $context := . -}}
{{- $spread := (index (index . 0).Values (index . 1)).spread -}}
{{- if or $spread.zone $spread.hostname }}
topologySpreadConstraints:
  {{- with $spread.zone }}
  - topologyKey: topology.kubernetes.io/zone
    maxSkew: 1
    whenUnsatisfiable: {{ . }}
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- include "sluice.selectorLabels" $context | nindent 8 }}
  {{- end }}
  {{- with $spread.hostname }}
  - topologyKey: kubernetes.io/hostname
    maxSkew: 1
    whenUnsatisfiable: {{ . }}
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- include "sluice.selectorLabels" $context | nindent 8 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Takes [context, part]. */}}
{{- define "sluice.podDisruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "sluice.metadata" . | nindent 2 }}
spec:
  maxUnavailable: {{ (index (index . 0).Values (index . 1)).podDisruptionBudget.maxUnavailable }}
  # A pod that is not ready protects nothing, and would keep its node for ever.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "sluice.selectorLabels" . | nindent 6 }}
{{- end -}}
