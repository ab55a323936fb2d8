{{/* Parts of the scaler's pod. */}}

{{/* Listen addresses and settings: cacheTtlSeconds becomes SLUICE_CACHE_TTL_SECONDS. */}}
{{- define "sluice.scalerEnv" -}}
- name: SLUICE_GRPC_LISTEN
  value: "0.0.0.0:{{ .Values.scaler.service.grpcPort }}"
- name: SLUICE_GRPC_PLAINTEXT
  value: "true"
- name: SLUICE_HTTP_LISTEN
  value: "0.0.0.0:{{ .Values.scaler.service.httpPort }}"
{{- if .Values.scaler.kubernetes.enabled }}
- name: SLUICE_KUBERNETES
  value: "true"
{{- end }}
{{- range $key, $value := .Values.scaler.settings }}
- name: SLUICE_{{ snakecase $key | upper }}
  value: {{ toString $value | quote }}
{{- end }}
{{- with .Values.scaler.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Whether KEDA may be sent here, asked on the port that KEDA uses. */}}
{{- define "sluice.readiness" -}}
grpc: { port: {{ .Values.scaler.service.grpcPort }} }
{{- end -}}

{{- define "sluice.priorityClassName" -}}
{{- with .Values.scaler.priorityClass -}}
{{- if .create -}}
{{- default (include "sluice.fullname" $) .name -}}
{{- else -}}
{{- .name | quote -}}
{{- end -}}
{{- end -}}
{{- end -}}
