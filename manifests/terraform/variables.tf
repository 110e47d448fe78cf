variable "namespace" {
  description = "Namespace of the installation; it is made, with Pod Security restricted."
  type        = string
  default     = "kubetape"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "A namespace has lower-case letters, digits and dashes."
  }
}

variable "create_namespace" {
  description = "Whether the namespace is made here; otherwise it is there already."
  type        = bool
  default     = true
}

variable "cluster" {
  description = "Name of the cluster in records, keys and rows. Empty: the uid of kube-system."
  type        = string
  default     = ""
}

variable "image" {
  description = "Where your copy of the image is."
  type = object({
    repository = string
    tag        = optional(string, "")
  })
  default = { repository = "kubetape" }
}

variable "resources_to_monitor" {
  description = "What is recorded: plurals, custom ones with their group."
  type        = list(string)
  default     = ["pods", "services", "deployments", "statefulsets", "configmaps", "secrets", "events"]

  validation {
    condition     = length(var.resources_to_monitor) > 0
    error_message = "At least one resource is recorded."
  }
}

variable "monitor_namespace" {
  description = "Only this namespace is recorded, and the right to read is given there only. Empty: all."
  type        = string
  default     = ""
}

variable "collector_mode" {
  description = "deployment watches all the time; cronjob lists now and then."
  type        = string
  default     = "deployment"

  validation {
    condition     = contains(["deployment", "cronjob"], var.collector_mode)
    error_message = "It is deployment or cronjob."
  }
}

variable "poll_interval" {
  description = "Minutes between two audits of what was recorded, as watching replaces polling; where collector_mode is cronjob, between two lists. 1 to 59, or a multiple of 60 up to 1440."
  type        = number
  default     = 360

  validation {
    condition     = var.poll_interval >= 1 && (var.poll_interval < 60 || (var.poll_interval <= 1440 && var.poll_interval % 60 == 0))
    error_message = "It is 1 to 59 minutes, or whole hours up to a day."
  }
}

variable "kafka_replicas" {
  description = "Brokers in the cluster: 1, 3 or 5; without effect where kafka_brokers names others."
  type        = number
  default     = 1

  validation {
    condition     = contains([1, 3, 5], var.kafka_replicas)
    error_message = "It is 1, 3 or 5."
  }
}

variable "kafka_brokers" {
  description = "An existing Kafka, host:port. Empty: brokers in the cluster."
  type        = list(string)
  default     = []
}

variable "kafka_login_secret" {
  description = "Secret with username, password and ca.crt, for an existing Kafka that wants TLS and a password."
  type        = string
  default     = ""
}

variable "database_url" {
  description = "An existing Postgres. Empty: one in the cluster, unless existing_secret says otherwise."
  type        = string
  default     = ""
  sensitive   = true
}

variable "existing_secret" {
  description = "A Secret that is there, with hmac-key and database-url; then no secret passes through Terraform and its state."
  type        = string
  default     = ""
}

variable "external_postgres" {
  description = "Whether Postgres is outside the cluster; follows from database_url, and is said where existing_secret holds it."
  type        = bool
  default     = false
}

variable "storage" {
  description = "Sizes of the volumes, and their class. Empty: the cluster's default one."
  type = object({
    kafka      = optional(string, "10Gi")
    postgres   = optional(string, "20Gi")
    class_name = optional(string, "")
  })
  default = {}
}

variable "sink_replicas" {
  description = "Fewest and most sinks."
  type = object({
    min = number
    max = number
  })
  default = { min = 2, max = 10 }
}

variable "values" {
  description = "Further values of the chart, as YAML; they win."
  type        = list(string)
  default     = []
}

variable "wait" {
  description = "Whether to wait until everything is ready."
  type        = bool
  default     = true
}

variable "timeout" {
  description = "Longest to wait (s)."
  type        = number
  default     = 900
}
