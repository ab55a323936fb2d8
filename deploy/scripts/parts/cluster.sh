# What is asked of a cluster and of EKS. To be sourced.
# shellcheck shell=bash

# Marks namespaces that were created here, so that none of somebody else's is deleted.
OURS=app.kubernetes.io/created-by=sluice

# kubectl against this cluster, whatever the current context is.
kube() {
    kubectl --context "$CLUSTER_NAME" "$@"
}

# Whether the cluster exists; any other answer than yes and no ends the script.
has_cluster() {
    local answer
    if answer=$(aws eks describe-cluster --name "$CLUSTER_NAME" --query cluster.status --output text 2>&1); then
        return 0
    fi
    [[ $answer == *ResourceNotFound* ]] || fail "cannot look at the cluster $CLUSTER_NAME: $answer"
    return 1
}

# The OIDC issuer of the cluster, without https://.
oidc_issuer() {
    local issuer
    issuer=$(aws eks describe-cluster --name "$CLUSTER_NAME" --query cluster.identity.oidc.issuer --output text)
    echo "${issuer#https://}"
}

# Installs the add-on by which pods take their roles, unless it is there.
install_agent() {
    local answer
    if answer=$(aws eks describe-addon --cluster-name "$CLUSTER_NAME" --addon-name eks-pod-identity-agent 2>&1); then
        return
    elif [[ $answer == *ResourceNotFound* ]]; then
        act aws eks create-addon --cluster-name "$CLUSTER_NAME" --addon-name eks-pod-identity-agent >/dev/null
        say "installed the add-on eks-pod-identity-agent"
    else
        say "warning: cannot tell whether the add-on eks-pod-identity-agent is there, without which pods have no role: $answer"
    fi
}

# Creates a namespace unless it is there.
create_namespace() {
    if kube get namespace "$1" >/dev/null 2>&1; then return; fi
    act kube create namespace "$1"
    act kube label namespace "$1" "$OURS"
}

# Namespace and name of each object of a kind, a line each; nothing where there is no such kind.
objects_of() {
    kube get "$1" --all-namespaces --ignore-not-found \
        --output 'jsonpath={range .items[*]}{.metadata.namespace}{" "}{.metadata.name}{"\n"}{end}' 2>/dev/null || true
}
