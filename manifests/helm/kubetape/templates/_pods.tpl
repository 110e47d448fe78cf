{{/* What pods have in common. */}}

{{/* (dict "fsGroup" bool "large" bool): `large` volumes are not walked through at every start. */}}
{{- define "kubetape.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
{{- if .fsGroup }}
fsGroup: 1000
{{- end }}
{{- if .large }}
fsGroupChangePolicy: OnRootMismatch
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "kubetape.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* (list $ part): where the pods of a part may run. */}}
{{- define "kubetape.placement" -}}
{{- $ := index . 0 -}}
{{- with index . 1 }}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}
{{- with $.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* (list $ spread component): two of a kind on one node fall together. */}}
{{- define "kubetape.spread" -}}
{{- if ne (index . 1) "none" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: {{ eq (index . 1) "required" | ternary "DoNotSchedule" "ScheduleAnyway" }}
    labelSelector:
      matchLabels:
        {{- include "kubetape.selector" (list (index . 0) "kubetape" (index . 2)) | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
{{- end -}}
{{- end -}}

{{/*
A container of kubetape itself:
  root, name, args, resources
  secret   the key of the Secret that it reads: hmac-key or database-url; none for those that need neither
  kafka    whether it speaks with Kafka
  port     of its metrics and probes; none where it ends by itself
  mounts   further ones
*/}}
{{- define "kubetape.container" -}}
{{- $ := .root -}}
name: {{ .name }}
image: {{ include "kubetape.image" $ }}
{{- with $.Values.image.pullPolicy }}
imagePullPolicy: {{ . }}
{{- end }}
args: {{ toJson .args }}
envFrom:
  - configMapRef:
      name: {{ include "kubetape.fullname" $ }}
{{- $login := and .kafka $.Values.kafka.login.secret }}
{{- if or .secret $login }}
env:
  {{- if .secret }}
  - name: {{ eq .secret "hmac-key" | ternary "KUBETAPE_HMAC_KEY_FILE" "KUBETAPE_DATABASE_URL_FILE" }}
    value: /etc/kubetape/secret/{{ .secret }}
  {{- end }}
  {{- if $login }}
  - name: KUBETAPE_KAFKA_SASL_USERNAME
    valueFrom:
      secretKeyRef:
        name: {{ $.Values.kafka.login.secret }}
        key: username
  {{- end }}
{{- end }}
{{- if .port }}
ports:
  - name: metrics
    containerPort: {{ .port }}
startupProbe:
  httpGet:
    path: /livez
    port: metrics
  periodSeconds: 2
  failureThreshold: 30
livenessProbe:
  httpGet:
    path: /livez
    port: metrics
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet:
    path: /readyz
    port: metrics
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
{{- end }}
resources:
  {{- toYaml .resources | nindent 2 }}
securityContext:
  {{- include "kubetape.containerSecurity" $ | nindent 2 }}
{{- $certificates := include "kubetape.certificates" $ }}
{{- if or .secret $login $certificates .mounts }}
volumeMounts:
  {{- if .secret }}
  - name: secret
    mountPath: /etc/kubetape/secret
    readOnly: true
  {{- end }}
  {{- if $login }}
  - name: kafka-login
    mountPath: /etc/kubetape/kafka
    readOnly: true
  {{- end }}
  {{- if $certificates }}
  - name: ca
    mountPath: /etc/kubetape/tls
    readOnly: true
  {{- end }}
  {{- with .mounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* The volumes of such containers: root, secret, kafka as above; `more` further ones. */}}
{{- define "kubetape.volumes" -}}
{{- $ := .root -}}
{{- $login := and .kafka $.Values.kafka.login.secret -}}
{{- $certificates := include "kubetape.certificates" $ -}}
{{- if or .secret $login $certificates .more }}
volumes:
  {{- if .secret }}
  # Only what this part needs: no pod starts as long as it is missing.
  - name: secret
    secret:
      secretName: {{ include "kubetape.secretName" $ }}
      defaultMode: 0440
      items:
        - key: {{ .secret }}
          path: {{ .secret }}
  {{- end }}
  {{- if $login }}
  - name: kafka-login
    secret:
      secretName: {{ $.Values.kafka.login.secret }}
      defaultMode: 0440
      items:
        - key: password
          path: password
        - key: ca.crt
          path: ca.crt
  {{- end }}
  {{- if $certificates }}
  - name: ca
    secret:
      secretName: {{ .kafka | ternary $certificates (include "kubetape.certificatesPostgres" $ | default $certificates) }}
      defaultMode: 0440
      items:
        - key: ca.crt
          path: ca.crt
  {{- end }}
  {{- with .more }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* (list size className) */}}
{{- define "kubetape.claim" -}}
accessModes: [ReadWriteOnce]
{{- with index . 1 }}
storageClassName: {{ . }}
{{- end }}
resources:
  requests:
    storage: {{ index . 0 }}
{{- end -}}
