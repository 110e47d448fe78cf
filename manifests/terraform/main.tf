# kubetape by its chart: a namespace, and a release in it.

locals {
  external_kafka    = length(var.kafka_brokers) > 0
  external_postgres = var.external_postgres || nonsensitive(var.database_url != "")
  schedule = (
    var.poll_interval < 60
    ? "*/${var.poll_interval} * * * *"
    : "0 */${max(1, floor(var.poll_interval / 60))} * * *"
  )

  values = {
    cluster = var.cluster
    image   = var.image
    record = {
      resources  = var.resources_to_monitor
      namespaces = var.monitor_namespace == "" ? [] : [var.monitor_namespace]
    }
    collector = {
      mode     = var.collector_mode
      schedule = var.poll_interval == 1440 ? "0 0 * * *" : local.schedule
    }
    # Between two lists of a CronJob everything that happened would be a difference.
    audit = {
      enabled = var.collector_mode == "deployment"
      every   = "${var.poll_interval}m"
    }
    sink = {
      autoscaling = var.sink_replicas
    }
    secret = {
      existing = var.existing_secret
    }
    kafka = {
      mode     = local.external_kafka ? "external" : "internal"
      brokers  = var.kafka_brokers
      replicas = var.kafka_replicas
      login    = { secret = var.kafka_login_secret }
      storage  = { size = var.storage.kafka, className = var.storage.class_name }
    }
    postgres = {
      mode    = local.external_postgres ? "external" : "internal"
      storage = { size = var.storage.postgres, className = var.storage.class_name }
    }
  }
}

resource "kubernetes_namespace" "this" {
  count = var.create_namespace ? 1 : 0

  metadata {
    name = var.namespace
    labels = {
      "app.kubernetes.io/part-of"                  = "kubetape"
      "pod-security.kubernetes.io/enforce"         = "restricted"
      "pod-security.kubernetes.io/enforce-version" = "latest"
      "pod-security.kubernetes.io/warn"            = "restricted"
      "pod-security.kubernetes.io/warn-version"    = "latest"
    }
  }
}

resource "helm_release" "this" {
  name      = "kubetape"
  namespace = var.namespace
  chart     = "${path.module}/../helm/kubetape"
  wait      = var.wait
  timeout   = var.timeout

  # What is passed here lies in the state; existing_secret keeps it out of there.
  values = concat(
    [yamlencode(local.values)],
    nonsensitive(var.database_url != "") ? [yamlencode({ secret = { databaseUrl = var.database_url } })] : [],
    var.values,
  )

  depends_on = [kubernetes_namespace.this]
}
