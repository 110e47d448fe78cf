#!/bin/sh
# Installs kubetape into the cluster of the current context, by kustomize or Helm; asks what it is not told.
# It checks first, shows what it will do, waits until it is done, and says what comes next. Run again, it upgrades.
set -eu

usage() {
  cat <<'USAGE'
usage: scripts/deploy.sh [development|production|external] [flags]

  development    one of everything and small; its passwords are public
  production     three brokers, two collectors, two to ten sinks; passwords are made, and kept in the cluster
  external       kubetape alone, beside a Kafka and a Postgres that are there

  --by kustomize|helm       how (default: helm where it is installed, else kustomize)
  --context NAME            context of the kubeconfig (default: its current one)
  --namespace NAME          (default: kubetape; kustomize knows no other)
  --image REPOSITORY[:TAG]  your copy of the image (default: kubetape:0.1.0)
  --brokers LIST            external: Kafka, host:port,host:port
  --database-url-file FILE  external: file with the URL of Postgres; not a flag, where everybody could read it
  --dry-run                 check and show, change nothing
  --uninstall               take it away; disks and Secrets stay, and it says how to delete them
  --timeout SECONDS         longest to wait (default: 600)
  --yes                     ask nothing
USAGE
}

say() { printf '%s\n' "$*" >&2; }
step() { printf '► %s\n' "$*" >&2; }
good() { printf '✔ %s\n' "$*" >&2; }
die() {
  printf '✗ %s\n' "$*" >&2
  exit 1
}
wrong() {
  printf '✗ %s\n' "$*" >&2
  exit 2
}

here=$(cd "$(dirname "$0")/.." && pwd)
manifests=$here/manifests
mode='' by='' context='' namespace=kubetape image='' brokers='' database_url_file='' dry_run='' uninstall='' timeout=600 yes=''

while [ $# -gt 0 ]; do
  case $1 in
    --by | --context | --namespace | --image | --brokers | --database-url-file | --timeout)
      [ $# -ge 2 ] || wrong "$1 needs a value"
      case $1 in
        --by) by=$2 ;;
        --context) context=$2 ;;
        --namespace) namespace=$2 ;;
        --image) image=$2 ;;
        --brokers) brokers=$2 ;;
        --database-url-file) database_url_file=$2 ;;
        --timeout) timeout=$2 ;;
      esac
      shift
      ;;
    --dry-run) dry_run=1 ;;
    --uninstall) uninstall=1 ;;
    --yes | -y) yes=1 ;;
    -h | --help)
      usage
      exit 0
      ;;
    development | dev) mode=development ;;
    production | external) mode=$1 ;;
    *)
      usage >&2
      wrong "$1 is not known"
      ;;
  esac
  shift
done

# ask QUESTION DEFAULT → answer
ask() {
  if [ -n "$yes" ] || [ ! -t 0 ]; then
    answer=$2
  else
    printf '%s [%s] ' "$1" "$2" >&2
    read -r answer
    answer=${answer:-$2}
  fi
}

confirm() {
  [ -n "$yes" ] && return 0
  [ -t 0 ] || die 'there is nobody to ask: --yes says that it is meant'
  printf '%s [y/N] ' "$1" >&2
  read -r answer
  case $answer in y | Y | yes) ;; *) die 'nothing was done' ;; esac
}

# ---------------------------------------------------------------------------------------------- what is wanted

if [ -z "$mode" ] && [ -z "$uninstall" ]; then
  [ -t 0 ] || {
    usage >&2
    wrong 'development, production or external?'
  }
  ask 'development, production or external?' development
  mode=$answer
fi
case $mode in '' | development | production | external) ;; *) wrong "$mode: it is development, production or external" ;; esac
command -v kubectl >/dev/null || die 'kubectl is not installed'
if [ -z "$by" ]; then
  if command -v helm >/dev/null; then by=helm; else by=kustomize; fi
fi
case $by in
  helm) command -v helm >/dev/null || die 'helm is not installed; --by kustomize goes without' ;;
  kustomize) [ "$namespace" = kubetape ] || wrong '--namespace: the overlays say kubetape; by Helm it can be another' ;;
  *) wrong "--by $by: it is kustomize or helm" ;;
esac
case $timeout in '' | *[!0-9]*) wrong "--timeout $timeout: it is a number of seconds" ;; esac
if [ "$mode" = external ] && [ -z "$uninstall" ]; then
  [ -n "$brokers" ] || {
    ask 'Kafka (host:port,host:port)?' ''
    brokers=$answer
  }
  [ -n "$brokers" ] || wrong 'external: --brokers says where Kafka is'
  [ -n "$database_url_file" ] || {
    ask 'File with the URL of Postgres?' ''
    database_url_file=$answer
  }
  [ -r "$database_url_file" ] || wrong 'external: --database-url-file is a file with the URL of Postgres'
fi

k() {
  if [ -n "$context" ]; then kubectl --context "$context" "$@"; else kubectl "$@"; fi
}
h() {
  if [ -n "$context" ]; then helm --kube-context "$context" -n "$namespace" "$@"; else helm -n "$namespace" "$@"; fi
}

# ---------------------------------------------------------------------------------------------- checks

step 'checks'
where=$(k config view --minify -o 'jsonpath={.contexts[0].name} ({.clusters[0].cluster.server})' 2>/dev/null) || die "the kubeconfig has no such context${context:+: $context}"
k version --request-timeout=10s >/dev/null 2>&1 || die "the API server of $where does not answer"
good "API server: $where"
for right in 'create namespaces' 'create clusterroles.rbac.authorization.k8s.io' 'create clusterrolebindings.rbac.authorization.k8s.io'; do
  # shellcheck disable=SC2086
  k auth can-i $right >/dev/null 2>&1 || die "you may not $right in this cluster"
done
good 'you may create what is needed'

# ---------------------------------------------------------------------------------------------- uninstall

if [ -n "$uninstall" ]; then
  if [ "$by" = helm ]; then
    say "  helm uninstall kubetape (namespace $namespace)"
  else
    say "  delete everything of kubetape in the namespace $namespace but disks, Secrets and the namespace itself; its ClusterRoles"
  fi
  [ -n "$dry_run" ] && exit 0
  confirm "Take kubetape away from $where?"
  if [ "$by" = helm ]; then
    h uninstall kubetape --wait --timeout "${timeout}s"
  else
    k -n "$namespace" delete --ignore-not-found --timeout="${timeout}s" -l app.kubernetes.io/part-of=kubetape \
      deployments,statefulsets,cronjobs,jobs,services,configmaps,serviceaccounts,roles,rolebindings,horizontalpodautoscalers,poddisruptionbudgets,networkpolicies,ingresses
    k delete --ignore-not-found -l app.kubernetes.io/part-of=kubetape clusterroles,clusterrolebindings
  fi
  good 'kubetape is gone; what it recorded is not'
  say "  Its disks and Secrets too, and with them everything that was recorded:  kubectl delete namespace $namespace"
  exit 0
fi

# ---------------------------------------------------------------------------------------------- plan

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
umask 077
random() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
has_secret() { k -n "$namespace" get secret "$1" >/dev/null 2>&1; }
key_of() { k -n "$namespace" get secret "$1" -o "jsonpath={.data.$2}" 2>/dev/null | base64 -d; }

repository=${image%:*} tag=''
case $image in
  '') repository='' ;;
  */*:* | [!/]*:*) tag=${image##*:} ;;
  *) repository=$image ;;
esac
case $tag in */*) repository=$image tag='' ;; esac

if [ "$by" = helm ]; then
  set -- --values "$manifests/helm/kubetape/examples/$mode.yaml"
  [ -z "$repository" ] || set -- "$@" --set-string "image.repository=$repository"
  [ -z "$tag" ] || set -- "$@" --set-string "image.tag=$tag"
  # Where the operator that reads these is missing, they would be refused.
  if [ "$mode" = production ] && ! k get crd servicemonitors.monitoring.coreos.com >/dev/null 2>&1; then
    say '  no Prometheus operator here: without ServiceMonitors and rules'
    set -- "$@" --set monitoring.serviceMonitors.enabled=false,monitoring.rules.enabled=false
  fi
  if [ "$mode" = external ]; then
    # The example asks for a login of Kafka's and a cluster's name, which are matters of your own values file.
    printf 'kafka:\n  brokers: [%s]\n  login: { secret: "" }\ncluster: ""\nsecret:\n  existing: ""\n  databaseUrl: "%s"\n' \
      "$(printf %s "$brokers" | sed "s/[^,]*/'&'/g")" "$(cat "$database_url_file")" >"$work/external.yaml"
    set -- "$@" --values "$work/external.yaml"
  fi
  h template kubetape "$manifests/helm/kubetape" "$@" >"$work/rendered.yaml" 2>"$work/errors" || die "$(grep -v 'symbolic link' "$work/errors")"
else
  cp -R "$manifests" "$work/manifests"
  overlay=$mode
  [ "$mode" = development ] && overlay=dev
  folder=$work/manifests/overlays/$overlay
  if [ "$overlay" != dev ]; then
    # What is in the cluster already stays as it is.
    old=$(k -n "$namespace" get secret -l app.kubernetes.io/part-of=kubetape -o name 2>/dev/null | grep -m1 '/kubetape-' | cut -d/ -f2 || true)
    hmac=${old:+$(key_of "$old" hmac-key)}
    password=${old:+$(key_of "$old" postgres-password)}
    password=${password:-$(random 24)}
    if [ "$overlay" = external ]; then
      url=$(cat "$database_url_file")
    else
      url=postgres://kubetape:$password@kubetape-postgres:5432/kubetape
    fi
    printf 'hmac-key=%s\npostgres-password=%s\npgadmin-password=%s\ndatabase-url=%s\n' "${hmac:-$(random 32)}" "$password" "$(random 12)" "$url" >"$folder/secret.env"
    [ "$overlay" = production ] || printf 'KAFKA_BROKERS=%s\n' "$brokers" >"$folder/settings.env"
  fi
  if [ -n "$repository" ]; then
    printf 'images:\n  - name: kubetape\n    newName: %s\n' "$repository" >>"$folder/kustomization.yaml"
    [ -z "$tag" ] || printf '    newTag: "%s"\n' "$tag" >>"$folder/kustomization.yaml"
  fi
  k kustomize "$folder" >"$work/rendered.yaml" 2>"$work/errors" || die "$(cat "$work/errors")"
fi

step "what it will do, by $by, in the namespace $namespace of $where"
grep -E '^kind: ' "$work/rendered.yaml" | sort | uniq -c | sed 's/kind: //' >&2
k get namespace "$namespace" >/dev/null 2>&1 || say '  the namespace is new; pods that are not hardened are refused in it'
if [ -n "$dry_run" ]; then
  good 'nothing was changed'
  exit 0
fi
confirm 'Go on?'

# ---------------------------------------------------------------------------------------------- deed

if [ "$by" = helm ]; then
  k get namespace "$namespace" >/dev/null 2>&1 || k create namespace "$namespace" >&2
  k label --overwrite namespace "$namespace" pod-security.kubernetes.io/enforce=restricted pod-security.kubernetes.io/enforce-version=latest >/dev/null
  step 'helm upgrade --install'
  h upgrade --install kubetape "$manifests/helm/kubetape" "$@" --wait --timeout "${timeout}s" >/dev/null 2>"$work/errors" ||
    die "$(grep -v 'symbolic link' "$work/errors")"
else
  step 'kubectl apply'
  # A Job cannot be changed; done or not, it is made anew.
  k -n "$namespace" delete job kubetape-topics kubetape-migrate --ignore-not-found >/dev/null 2>&1 || true
  k apply -f "$work/rendered.yaml" >&2
fi
step 'rollout'
until_ms=$(($(date +%s) + timeout))
for workload in $(k -n "$namespace" get statefulsets,deployments -l app.kubernetes.io/part-of=kubetape -o name); do
  left=$((until_ms - $(date +%s)))
  [ "$left" -gt 0 ] || left=1
  k -n "$namespace" rollout status "$workload" --timeout="${left}s" >&2 || {
    k -n "$namespace" get pods >&2
    die "$workload is not ready after $timeout s: kubectl -n $namespace logs $workload --all-containers"
  }
done
good 'everything runs'

# ---------------------------------------------------------------------------------------------- next

say ''
say 'Next:'
[ "$by" = helm ] && say "  helm -n $namespace test kubetape --logs"
if [ "$mode" != external ]; then
  say "  kubectl -n $namespace exec kubetape-postgres-0 -- psql -U kubetape -c 'SELECT changed_at, op, namespace, name FROM k8s.pods_history ORDER BY changed_at DESC LIMIT 20'"
fi
say "  kubectl -n $namespace logs -l app.kubernetes.io/component=collector --tail=20"
say "  $0 --uninstall --by $by"
