# The programs that a script needs, and the least versions of them. To be sourced.
# shellcheck shell=bash

# The version of a program, as its own words have it.
version_of() {
    case $1 in
        aws) aws --version 2>&1 | sed -n 's|^aws-cli/\([0-9.]*\).*|\1|p' ;;
        kubectl) kubectl version --client 2>/dev/null | sed -n 's/^Client Version: v\([0-9.]*\).*/\1/p' ;;
        helm) helm version --short 2>/dev/null | sed -n 's/^v\([0-9.]*\).*/\1/p' ;;
        eksctl) eksctl version 2>/dev/null | sed -n 's/^v\{0,1\}\([0-9.]*\).*/\1/p' ;;
        flux) flux --version 2>/dev/null | sed -n 's/^flux version \([0-9.]*\).*/\1/p' ;;
        terraform) terraform version 2>/dev/null | sed -n 's/^Terraform v\([0-9.]*\).*/\1/p' ;;
        docker) docker --version 2>/dev/null | sed -n 's/^Docker version \([0-9.]*\).*/\1/p' ;;
    esac
}

# The least version of each, and why.
least_version_of() {
    case $1 in
        aws) echo 1.32 ;;       # pod identity associations
        kubectl) echo 1.30 ;;   # the oldest cluster that is supported
        helm) echo 3.14 ;;      # charts from OCI registries by version
        eksctl) echo 0.190 ;;   # access entries and pod identity associations
        flux) echo 2.3 ;;       # helm.toolkit.fluxcd.io/v2
        terraform) echo 1.10 ;; # state that is locked in S3 itself
        docker) echo 24.0 ;;    # buildx as part of it
    esac
}

# Where a program comes from.
source_of() {
    case $1 in
        aws) echo "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html" ;;
        kubectl) echo "https://kubernetes.io/docs/tasks/tools/" ;;
        helm) echo "https://helm.sh/docs/intro/install/" ;;
        eksctl) echo "https://eksctl.io/installation/" ;;
        flux) echo "https://fluxcd.io/flux/installation/" ;;
        terraform) echo "https://developer.hashicorp.com/terraform/install" ;;
        docker) echo "https://docs.docker.com/engine/install/" ;;
    esac
}

# Tells of every program that is missing or too old, and ends the script if there is one.
need_programs() {
    local program found least lacking=0
    for program in "$@"; do
        least=$(least_version_of "$program")
        if ! command -v "$program" >/dev/null; then
            say "missing: $program $least or later, from $(source_of "$program")"
            lacking=$((lacking + 1))
            continue
        fi
        found=$(version_of "$program")
        if [[ -z $found ]]; then
            say "warning: cannot tell which version of $program this is; $least or later is needed"
        elif [[ $(printf '%s\n%s\n' "$least" "$found" | sort -V | head -n 1) != "$least" ]]; then
            say "too old: $program is $found; $least or later is needed, from $(source_of "$program")"
            lacking=$((lacking + 1))
        else
            say "found $program $found"
        fi
    done
    ((lacking == 0)) || fail "$lacking of the programs that are needed are missing or too old"
}
