# The whole platform in the cluster of the current context.
#   terraform init && terraform apply

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

  cluster        = "production"
  kafka_replicas = 3
  storage        = { kafka = "100Gi", postgres = "200Gi" }
  values         = [file("${path.module}/../../../helm/kubetape/examples/production.yaml")]
}

output "next" {
  value = module.kubetape.next
}
