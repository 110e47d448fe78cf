{{/* Names, labels, and what is derived from several values. */}}

{{- define "kubetape.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{/* Of what belongs to no namespace: two releases of one name must not meet. */}}
{{- define "kubetape.clusterWideName" -}}
{{- $name := include "kubetape.fullname" . -}}
{{- eq .Release.Namespace $name | ternary $name (printf "%s-%s" .Release.Namespace $name) -}}
{{- end -}}

{{/* (list $ name component) */}}
{{- define "kubetape.selector" -}}
app.kubernetes.io/name: {{ index . 1 }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 2 }}
{{- end -}}

{{/* (list $ name component) */}}
{{- define "kubetape.podLabels" -}}
{{ include "kubetape.selector" . }}
app.kubernetes.io/part-of: kubetape
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
{{- end -}}

{{/* (list $ name component) */}}
{{- define "kubetape.labels" -}}
{{ include "kubetape.podLabels" . }}
helm.sh/chart: {{ printf "%s-%s" (index . 0).Chart.Name (index . 0).Chart.Version }}
{{- end -}}

{{- define "kubetape.secretName" -}}
{{ .Values.secret.existing | default (include "kubetape.fullname" .) }}
{{- end -}}

{{- define "kubetape.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "kubetape.brokers" -}}
{{- if eq .Values.kafka.mode "internal" -}}
{{ include "kubetape.fullname" . }}-kafka:9092
{{- else -}}
{{ required "kafka.mode is external: kafka.brokers says where it is" (join "," .Values.kafka.brokers) }}
{{- end -}}
{{- end -}}

{{- define "kubetape.certificatesKafka" -}}
{{- if and .Values.tls.enabled (eq .Values.kafka.mode "internal") -}}{{ include "kubetape.fullname" . }}-kafka-tls{{- end -}}
{{- end -}}

{{- define "kubetape.certificatesPostgres" -}}
{{- if and .Values.tls.enabled (eq .Values.postgres.mode "internal") -}}{{ include "kubetape.fullname" . }}-postgres-tls{{- end -}}
{{- end -}}

{{/* One authority signs both: whichever is there. */}}
{{- define "kubetape.certificates" -}}
{{ include "kubetape.certificatesKafka" . | default (include "kubetape.certificatesPostgres" .) }}
{{- end -}}

{{/* Resources by API group, as JSON: {"": ["pods"], "apps": [...]}; Secrets have a role of their own. */}}
{{- define "kubetape.groups" -}}
{{- $core := list "pods" "services" "configmaps" "nodes" "namespaces" "persistentvolumes" "persistentvolumeclaims" "serviceaccounts" "endpoints" "limitranges" "resourcequotas" "replicationcontrollers" "podtemplates" -}}
{{- $known := dict
  "deployments" "apps" "statefulsets" "apps" "daemonsets" "apps" "replicasets" "apps" "controllerrevisions" "apps"
  "jobs" "batch" "cronjobs" "batch"
  "horizontalpodautoscalers" "autoscaling" "poddisruptionbudgets" "policy"
  "ingresses" "networking.k8s.io" "ingressclasses" "networking.k8s.io" "networkpolicies" "networking.k8s.io"
  "endpointslices" "discovery.k8s.io" "leases" "coordination.k8s.io" "events" "events.k8s.io"
  "roles" "rbac.authorization.k8s.io" "rolebindings" "rbac.authorization.k8s.io"
  "clusterroles" "rbac.authorization.k8s.io" "clusterrolebindings" "rbac.authorization.k8s.io"
  "storageclasses" "storage.k8s.io" "volumeattachments" "storage.k8s.io" "priorityclasses" "scheduling.k8s.io"
  "customresourcedefinitions" "apiextensions.k8s.io" -}}
{{- $groups := dict -}}
{{- range without .Values.record.resources "secrets" -}}
{{- $parts := splitn "." 2 . -}}
{{- $plural := $parts._0 -}}
{{- $group := "" -}}
{{- if $parts._1 -}}{{- $group = $parts._1 -}}
{{- else if hasKey $known $plural -}}{{- $group = get $known $plural -}}
{{- else if not (has $plural $core) -}}
{{- fail (printf "record.resources: the chart does not know the API group of %s: write %s.<group>" $plural $plural) -}}
{{- end -}}
{{- $_ := set $groups $group (append (get $groups $group | default list) $plural) -}}
{{- end -}}
{{- toJson $groups -}}
{{- end -}}

{{/* What the roles are told, as JSON: variable → value. */}}
{{- define "kubetape.settings" -}}
{{- $name := include "kubetape.fullname" . -}}
{{- $env := dict
  "KUBETAPE_RESOURCES" (join "," .Values.record.resources)
  "KAFKA_BROKERS" (include "kubetape.brokers" .)
  "KUBETAPE_LEASE_NAME" (printf "%s-collector" $name)
  "KUBETAPE_LOG_FORMAT" "json" -}}
{{- with .Values.cluster -}}{{- $_ := set $env "KUBETAPE_CLUSTER" . -}}{{- end -}}
{{- with .Values.record.namespaces -}}{{- $_ := set $env "KUBETAPE_NAMESPACES" (join "," .) -}}{{- end -}}
{{- with .Values.record.excludeNamespaces -}}{{- $_ := set $env "KUBETAPE_EXCLUDE_NAMESPACES" (join "," .) -}}{{- end -}}
{{- with .Values.record.redact -}}{{- $_ := set $env "KUBETAPE_REDACT" (join "," .) -}}{{- end -}}
{{- if ne .Values.record.configmapData "redact" -}}{{- $_ := set $env "KUBETAPE_CONFIGMAP_DATA" .Values.record.configmapData -}}{{- end -}}
{{- if ne (int .Values.topics.partitions) 3 -}}{{- $_ := set $env "KUBETAPE_PARTITIONS" (toString .Values.topics.partitions) -}}{{- end -}}
{{- with .Values.topics.partitionsOf -}}
{{- $pairs := list -}}
{{- range $resource, $partitions := . -}}{{- $pairs = append $pairs (printf "%s=%d" $resource (int $partitions)) -}}{{- end -}}
{{- $_ := set $env "KUBETAPE_PARTITIONS_OF" (join "," $pairs) -}}
{{- end -}}
{{- if gt (int .Values.topics.replicationFactor) 0 -}}
{{- $_ := set $env "KUBETAPE_REPLICATION_FACTOR" (toString .Values.topics.replicationFactor) -}}
{{- else if and (eq .Values.kafka.mode "internal") (gt (int .Values.kafka.replicas) 1) -}}
{{- $_ := set $env "KUBETAPE_REPLICATION_FACTOR" "3" -}}
{{- end -}}
{{- if include "kubetape.certificatesKafka" . -}}
{{- $_ := set $env "KUBETAPE_KAFKA_TLS" "true" -}}
{{- $_ := set $env "KUBETAPE_KAFKA_TLS_CA_FILE" "/etc/kubetape/tls/ca.crt" -}}
{{- end -}}
{{- if include "kubetape.certificatesPostgres" . -}}
{{- $_ := set $env "KUBETAPE_DATABASE_TLS" "verify-full" -}}
{{- $_ := set $env "KUBETAPE_DATABASE_TLS_CA_FILE" "/etc/kubetape/tls/ca.crt" -}}
{{- else if and (eq .Values.postgres.mode "external") .Values.postgres.sslmode -}}
{{- $_ := set $env "KUBETAPE_DATABASE_TLS" .Values.postgres.sslmode -}}
{{- end -}}
{{- if .Values.kafka.login.secret -}}
{{- $_ := set $env "KUBETAPE_KAFKA_TLS" "true" -}}
{{- $_ := set $env "KUBETAPE_KAFKA_TLS_CA_FILE" "/etc/kubetape/kafka/ca.crt" -}}
{{- $_ := set $env "KUBETAPE_KAFKA_SASL_MECHANISM" .Values.kafka.login.mechanism -}}
{{- $_ := set $env "KUBETAPE_KAFKA_SASL_PASSWORD_FILE" "/etc/kubetape/kafka/password" -}}
{{- end -}}
{{- range $variable, $value := .Values.settings -}}{{- $_ := set $env $variable (toString $value) -}}{{- end -}}
{{- toJson $env -}}
{{- end -}}
