{{/* Parts of network policies. */}}

{{/* A peer by namespace and labels. Takes {namespace, podLabels}. */}}
{{- define "sluice.peer" -}}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ .namespace }}
  {{- with .podLabels }}
  podSelector:
    matchLabels:
      {{- toYaml . | nindent 6 }}
  {{- end }}
{{- end -}}

{{/* DNS, HTTPS and the agent of EKS Pod Identity, which has the same address on every node. */}}
{{- define "sluice.egress" -}}
{{- with .Values.networkPolicy.egress -}}
{{- if .enabled }}
egress:
  - ports:
      - { port: 53, protocol: UDP }
      - { port: 53, protocol: TCP }
    to:
      - namespaceSelector:
          matchLabels:
            kubernetes.io/metadata.name: kube-system
  - ports:
      - { port: 443, protocol: TCP }
  - ports:
      - { port: 80, protocol: TCP }
    to:
      - ipBlock: { cidr: 169.254.170.23/32 }
      - ipBlock: { cidr: "fd00:ec2::23/128" }
  {{- with .extra }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}
{{- end -}}
