# kubetape alone, beside a Kafka and a Postgres that are there already. The Secret `kubetape-access` (hmac-key, database-url) is
# made elsewhere, so that what is in it passes neither through here nor through the state.

terraform {
  required_providers {
    helm = {
      source  = "hashicorp/helm"
      version = "~> 2.17"
    }
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = "~> 2.38"
    }
  }
}

variable "kubeconfig" {
  description = "Kubeconfig of the cluster."
  type        = string
  default     = "~/.kube/config"
}

provider "kubernetes" {
  config_path = var.kubeconfig
}

provider "helm" {
  kubernetes {
    config_path = var.kubeconfig
  }
}

module "kubetape" {
  source = "../.."

  create_namespace     = false
  cluster              = "production"
  resources_to_monitor = ["pods", "deployments", "events"]
  monitor_namespace    = "shop"
  collector_mode       = "cronjob"
  poll_interval        = 30
  existing_secret      = "kubetape-access"
  external_postgres    = true
  kafka_brokers        = ["kafka-1.example.com:9092", "kafka-2.example.com:9092"]
}
