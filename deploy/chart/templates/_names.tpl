{{/* Names, labels and images. */}}

{{- define "sluice.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The name of a part: the scaler has the name of the release. Takes [context, part]. */}}
{{- define "sluice.partName" -}}
{{- $top := index . 0 -}}{{- $part := index . 1 -}}
{{- if eq $part "scaler" -}}
{{- include "sluice.fullname" $top -}}
{{- else -}}
{{- printf "%s-%s" (include "sluice.fullname" $top) $part -}}
{{- end -}}
{{- end -}}

{{/* What never changes, so that selectors may use it. Takes [context, part]. */}}
{{- define "sluice.selectorLabels" -}}
{{- $top := index . 0 -}}
app.kubernetes.io/name: {{ default $top.Chart.Name $top.Values.nameOverride }}
app.kubernetes.io/instance: {{ $top.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "sluice.labels" -}}
{{- $top := index . 0 -}}
{{ include "sluice.selectorLabels" . }}
app.kubernetes.io/version: {{ $top.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $top.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $top.Chart.Name $top.Chart.Version | replace "+" "_" }}
{{- with $top.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Name, namespace, labels and annotations. Takes [context, part], and further annotations as a third. */}}
{{- define "sluice.metadata" -}}
{{- $top := index . 0 -}}
name: {{ include "sluice.partName" . }}
namespace: {{ $top.Release.Namespace }}
labels:
  {{- include "sluice.labels" . | nindent 2 }}
{{- $further := dict }}
{{- if gt (len .) 2 }}{{ $further = index . 2 }}{{ end }}
{{- with merge (deepCopy $further) $top.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Takes [context, image]. */}}
{{- define "sluice.image" -}}
{{- $top := index . 0 -}}{{- $image := index . 1 -}}
{{- $registry := required "image.registry: expected where your images are, for example 123456789012.dkr.ecr.eu-west-1.amazonaws.com" $top.Values.image.registry -}}
{{- if $image.digest -}}
{{- printf "%s/%s@%s" $registry $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s/%s:%s" $registry $image.repository (default $top.Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{/* Takes [context, part]. */}}
{{- define "sluice.serviceAccountName" -}}
{{- $account := (index (index . 0).Values (index . 1)).serviceAccount -}}
{{- if $account.create -}}
{{- default (include "sluice.partName" .) $account.name -}}
{{- else -}}
{{- default "default" $account.name -}}
{{- end -}}
{{- end -}}

{{/* A service account, with its role where IRSA gives one. Takes [context, part]. */}}
{{- define "sluice.serviceAccount" -}}
{{- $top := index . 0 -}}
{{- $account := (index $top.Values (index . 1)).serviceAccount -}}
{{- if $account.create -}}
{{- $annotations := deepCopy $account.annotations -}}
{{- with $account.roleArn -}}
{{- $_ := set $annotations "eks.amazonaws.com/role-arn" . -}}
{{- $_ := set $annotations "eks.amazonaws.com/sts-regional-endpoints" "true" -}}
{{- end -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "sluice.serviceAccountName" . }}
  namespace: {{ $top.Release.Namespace }}
  labels:
    {{- include "sluice.labels" . | nindent 4 }}
  {{- with merge $annotations $top.Values.commonAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end -}}
{{- end -}}

{{/* Gives a part's Role to its service account. Takes [context, part]. */}}
{{- define "sluice.roleBinding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  {{- include "sluice.metadata" . | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ include "sluice.partName" . }}
subjects:
  - kind: ServiceAccount
    name: {{ include "sluice.serviceAccountName" . }}
    namespace: {{ (index . 0).Release.Namespace }}
{{- end -}}
