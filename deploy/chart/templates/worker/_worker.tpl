{{/* Parts of the worker's pod, which a Deployment and a ScaledJob share. */}}

{{/* The queue, by its URL or its name. Takes {queueUrl, queueName} and the name of the part. */}}
{{- define "sluice.queue" -}}
{{- $values := index . 0 -}}{{- $part := index . 1 -}}
{{- if $values.queueUrl -}}
SQS_QUEUE_URL: {{ $values.queueUrl | quote }}
{{- else -}}
SQS_QUEUE_NAME: {{ required (printf "%s.queueUrl: expected the URL of the queue (or %s.queueName: its name)" $part $part) $values.queueName | quote }}
{{- end -}}
{{- end -}}

{{- define "sluice.region" -}}
AWS_REGION: {{ required "aws.region: expected the region of the queue, for example eu-west-1" .Values.aws.region | quote }}
{{- end -}}

{{/* The variables of the worker. */}}
{{- define "sluice.workerSettings" -}}
{{- with .Values.worker -}}
{{ include "sluice.queue" (list . "worker") }}
{{ include "sluice.region" $ }}
SQS_MAX_MESSAGES: {{ .maxMessages | quote }}
SQS_WAIT_TIME_SECONDS: {{ .waitTimeSeconds | quote }}
SQS_VISIBILITY_TIMEOUT: {{ .visibilityTimeoutSeconds | quote }}
HEALTH_HOST: "0.0.0.0"
HEALTH_PORT: "8080"
RUST_LOG: {{ .log | quote }}
SLUICE_WORKER_LOG_FORMAT: {{ .logFormat | quote }}
SLUICE_WORKER_CONCURRENCY: {{ .concurrency | quote }}
SLUICE_WORKER_DRAIN_SECONDS: {{ .drainSeconds | quote }}
SLUICE_WORKER_DEADLINE_SECONDS: {{ .deadlineSeconds | quote }}
{{- if eq (include "sluice.tellsCost" $) "true" }}
SLUICE_WORKER_DELETION_COST: "on"
{{- end }}
{{ include "sluice.handler" .handler }}
{{- with .env }}
{{ toYaml . }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* Whether pods tell how busy they are; those of a Job are never scaled in. */}}
{{- define "sluice.tellsCost" -}}
{{- and .Values.worker.deletionCost (ne .Values.worker.scaling.kind "ScaledJob") -}}
{{- end -}}

{{/* What is done with a message. Takes the handler. */}}
{{- define "sluice.handler" -}}
SLUICE_WORKER_HANDLER: {{ .kind }}
{{- if eq .kind "command" }}
SLUICE_WORKER_COMMAND: {{ required "worker.handler.command: expected a program, since worker.handler.kind is command" .command | quote }}
SLUICE_WORKER_COMMAND_TAKES: {{ .commandTakes }}
{{- else if eq .kind "http" }}
SLUICE_WORKER_HTTP_URL: {{ required "worker.handler.url: expected a URL, since worker.handler.kind is http" .url | quote }}
SLUICE_WORKER_HTTP_TIMEOUT_SECONDS: {{ .timeoutSeconds | quote }}
{{- else if eq .kind "s3" }}
STORE_EVENTS_BKT: {{ required "worker.handler.bucket: expected the name of a bucket, since worker.handler.kind is s3" .bucket | quote }}
S3_PREFIX: {{ .prefix | quote }}
{{- end }}
{{- end -}}

{{/* The pod: its metadata and spec. Takes [context, mode]. */}}
{{- define "sluice.workerPod" -}}
{{- $top := index . 0 -}}{{- $mode := index . 1 -}}
{{- $context := list $top "worker" -}}
{{- $annotations := dict "checksum/settings" (include "sluice.workerSettings" $top | sha256sum) -}}
{{- if or $top.Values.worker.doNotDisrupt (eq $mode "once") -}}
{{- $_ := set $annotations "karpenter.sh/do-not-disrupt" "true" -}}
{{- end -}}
{{- with $top.Values.worker -}}
metadata:
  labels:
    {{- include "sluice.podLabels" $context | nindent 4 }}
  annotations:
    {{- toYaml (merge (deepCopy .podAnnotations) $annotations) | nindent 4 }}
spec:
  serviceAccountName: {{ include "sluice.serviceAccountName" $context }}
  automountServiceAccountToken: {{ include "sluice.tellsCost" $top }}
  enableServiceLinks: false
  {{- include "sluice.pullSecrets" $top | nindent 2 }}
  {{- with .priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- if eq $mode "once" }}
  restartPolicy: Never
  {{- end }}
  # The receive that is under way, then the drain, then the last deletes.
  terminationGracePeriodSeconds: {{ add (int .waitTimeSeconds) (int .drainSeconds) 5 }}
  securityContext:
    {{- include "sluice.podSecurityContext" $top | nindent 4 }}
  {{- if eq $mode "run" }}
  {{- include "sluice.spread" $context | nindent 2 }}
  {{- end }}
  {{- include "sluice.placement" $context | nindent 2 }}
  containers:
    - name: worker
      image: {{ include "sluice.image" (list $top .image) }}
      imagePullPolicy: {{ $top.Values.image.pullPolicy }}
      args: [{{ $mode }}]
      envFrom:
        - configMapRef: { name: {{ include "sluice.partName" $context }} }
      {{- $tellsCost := eq (include "sluice.tellsCost" $top) "true" }}
      {{- if or .extraEnv $tellsCost }}
      env:
        {{- if $tellsCost }}
        - name: POD_NAME
          valueFrom: { fieldRef: { fieldPath: metadata.name } }
        {{- end }}
        {{- with .extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      ports:
        - { name: http, containerPort: 8080 }
      # Live while the receive loop goes round; long work is not the opposite of that.
      livenessProbe:
        httpGet: { path: /health/live, port: http }
        initialDelaySeconds: 5
        periodSeconds: 10
        timeoutSeconds: 3
      {{- if eq $mode "run" }}
      readinessProbe:
        httpGet: { path: /health/ready, port: http }
        initialDelaySeconds: 5
        periodSeconds: 10
        timeoutSeconds: 3
      {{- end }}
      resources:
        {{- toYaml .resources | nindent 8 }}
      securityContext:
        {{- include "sluice.containerSecurityContext" $top | nindent 8 }}
      {{- if .scratchSize }}
      volumeMounts:
        - { name: scratch, mountPath: /tmp }
      {{- end }}
  {{- with .scratchSize }}
  volumes:
    - name: scratch
      emptyDir: { sizeLimit: {{ . }} }
  {{- end }}
{{- end -}}
{{- end -}}
