{{/* Parts of the producer, which is a Job, a CronJob or a Deployment. */}}

{{- define "sluice.producerJob" -}}
backoffLimit: {{ .Values.producer.backoffLimit }}
ttlSecondsAfterFinished: {{ .Values.producer.ttlSecondsAfterFinished }}
template:
  {{- include "sluice.producerPod" (list . "Never") | nindent 2 }}
{{- end -}}

{{/* The variables of the producer. */}}
{{- define "sluice.producerSettings" -}}
{{- with .Values.producer -}}
{{ include "sluice.queue" (list . "producer") }}
{{ include "sluice.region" $ }}
SLUICE_WORKER_SHAPE: {{ .shape }}
TOT_MSGS_TO_PRODUCE: {{ .messages | int | quote }}
SLUICE_WORKER_RATE: {{ .rate | int | quote }}
SLUICE_WORKER_BAD_PERCENT: {{ .badPercent | quote }}
SLUICE_WORKER_DUPLICATE_PERCENT: {{ .duplicatePercent | quote }}
{{- with .env }}
{{ toYaml . }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* Takes [context, restart policy]. */}}
{{- define "sluice.producerPod" -}}
{{- $top := index . 0 -}}
{{- $context := list $top "producer" -}}
{{- $restartPolicy := index . 1 -}}
{{- with $top.Values.producer -}}
metadata:
  labels:
    {{- include "sluice.podLabels" $context | nindent 4 }}
  {{- with .podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "sluice.serviceAccountName" $context }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- include "sluice.pullSecrets" $top | nindent 2 }}
  restartPolicy: {{ $restartPolicy }}
  securityContext:
    {{- include "sluice.podSecurityContext" $top | nindent 4 }}
  {{- include "sluice.placement" $context | nindent 2 }}
  containers:
    - name: producer
      image: {{ include "sluice.image" (list $top .image) }}
      imagePullPolicy: {{ $top.Values.image.pullPolicy }}
      args: [produce]
      env:
        {{- range $name, $value := fromYaml (include "sluice.producerSettings" $top) }}
        - { name: {{ $name }}, value: {{ $value | quote }} }
        {{- end }}
        {{- with .extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      resources:
        {{- toYaml .resources | nindent 8 }}
      securityContext:
        {{- include "sluice.containerSecurityContext" $top | nindent 8 }}
{{- end -}}
{{- end -}}
