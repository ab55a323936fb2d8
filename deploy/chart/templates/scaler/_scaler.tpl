{{/* Parts of the scaler's pod. */}}

{{/* Listen addresses and settings: cacheTtlSeconds becomes SLUICE_CACHE_TTL_SECONDS. */}}
{{- define "sluice.scalerEnv" -}}
- name: SLUICE_GRPC_LISTEN
  value: "0.0.0.0:{{ .Values.scaler.service.grpcPort }}"
- name: SLUICE_HTTP_LISTEN
  value: "0.0.0.0:{{ .Values.scaler.service.httpPort }}"
{{- if eq .Values.tls.mode "none" }}
- name: SLUICE_GRPC_PLAINTEXT
  value: "true"
{{- else }}
- name: SLUICE_TLS_CERTIFICATE
  value: /etc/sluice/tls/tls.crt
- name: SLUICE_TLS_KEY
  value: /etc/sluice/tls/tls.key
{{- if .Values.tls.client.required }}
- name: SLUICE_TLS_CLIENT_CA
  value: /etc/sluice/tls/ca.crt
{{- with .Values.tls.client.names }}
- name: SLUICE_TLS_CLIENT_NAMES
  value: {{ join "," . | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- if .Values.access.rules }}
- name: SLUICE_ACCESS_FILE
  value: /etc/sluice/access/access.toml
{{- end }}
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

{{/* Whether KEDA may be sent here, asked on the port that KEDA uses where the kubelet can: it speaks no TLS there. */}}
{{- define "sluice.readiness" -}}
{{- if eq .Values.tls.mode "none" -}}
grpc: { port: {{ .Values.scaler.service.grpcPort }} }
{{- else -}}
httpGet: { path: /readyz, port: http }
{{- end -}}
{{- end -}}

{{/* The Secret of the scaler's certificate. */}}
{{- define "sluice.tlsSecretName" -}}
{{- if eq .Values.tls.mode "certManager" -}}
{{- default (printf "%s-tls" (include "sluice.fullname" .)) .Values.tls.secretName -}}
{{- else -}}
{{- required "tls.secretName: expected the name of a Secret with tls.crt and tls.key, since tls.mode is secret" .Values.tls.secretName -}}
{{- end -}}
{{- end -}}

{{/* The Secret of KEDA's certificate. */}}
{{- define "sluice.clientSecretName" -}}
{{- if and (eq .Values.tls.mode "certManager") (not .Values.tls.client.required) -}}
{{- /* Only the authority is needed, and the scaler's own Secret has it too. */ -}}
{{- include "sluice.tlsSecretName" . -}}
{{- else if eq .Values.tls.mode "certManager" -}}
{{- default (printf "%s-keda-client" (include "sluice.fullname" .)) .Values.tls.clientSecretName -}}
{{- else -}}
{{- required "tls.clientSecretName: expected the name of the Secret with KEDA's certificate, since tls.clusterTriggerAuthentication is set" .Values.tls.clientSecretName -}}
{{- end -}}
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
