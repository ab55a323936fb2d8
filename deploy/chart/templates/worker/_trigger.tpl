{{/* The trigger: type, metadata and what it is authenticated by. Takes [context, type of Sluice's trigger]. */}}
{{- define "sluice.trigger" -}}
{{- $top := index . 0 -}}
{{- $scaling := $top.Values.worker.scaling -}}
{{- $isSluice := eq $scaling.trigger "sluice" -}}
type: {{ ternary (index . 1) "aws-sqs-queue" $isSluice }}
metadata:
  {{- if $isSluice }}
  scalerAddress: {{ $scaling.scalerAddress | quote }}
  {{- if eq $scaling.kind "ScaledJob" }}
  # So that messages in flight are counted or not, as the strategy needs it.
  scaledJob: {{ $scaling.job.strategy }}
  {{- end }}
  {{- end }}
  queueURL: {{ default $top.Values.worker.queueName $top.Values.worker.queueUrl | quote }}
  awsRegion: {{ $top.Values.aws.region | quote }}
  queueLength: {{ $scaling.queueLength | quote }}
  activationQueueLength: {{ $scaling.activationQueueLength | quote }}
  {{- range $key, $value := $scaling.metadata }}
  {{ $key }}: {{ $value | quote }}
  {{- end }}
{{- if $scaling.authentication.name }}
authenticationRef:
  name: {{ $scaling.authentication.name }}
  kind: {{ $scaling.authentication.kind }}
{{- else if not $isSluice }}
{{- fail "worker.scaling.authentication.name: expected the name of a TriggerAuthentication, since KEDA's aws-sqs-queue reads the queue as somebody" }}
{{- end }}
{{- end -}}
