{{- define "kept.labels" -}}
app.kubernetes.io/name: kept
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
{{- define "kept.selector" -}}
app.kubernetes.io/name: kept
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- /* Every pod runs as an ordinary user, may write to /tmp only and keeps no capability. */}}
{{- define "kept.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end }}
{{- define "kept.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
{{- /* What every process needs; what only one of them needs stands in its own template. */}}
{{- define "kept.secrets" -}}
{{- range list "DATABASE_URL" "REDIS_URL" "SECRET_KEY" "STRIPE_API_KEY" "STRIPE_WEBHOOK_SECRET" "SMTP_URL" }}
- name: {{ . }}
  valueFrom: {secretKeyRef: {name: {{ $.Values.existingSecret }}, key: {{ . }}}}
{{- end }}
{{- end }}
