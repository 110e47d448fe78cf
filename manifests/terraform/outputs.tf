output "namespace" {
  description = "Where it is installed."
  value       = var.namespace
}

output "release" {
  description = "Name and revision of the Helm release."
  value       = { name = helm_release.this.name, status = helm_release.this.status }
}

output "kafka_brokers" {
  description = "Where the topics are."
  value       = local.external_kafka ? var.kafka_brokers : ["kubetape-kafka.${var.namespace}.svc:9092"]
}

output "next" {
  description = "What to do next."
  value       = "helm -n ${var.namespace} test kubetape --logs"
}
