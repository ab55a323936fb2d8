# What differs from one installation to the next: arguments win over the environment, the environment over names.env.
# To be sourced.
# shellcheck shell=bash
# shellcheck disable=SC2034 # read by the scripts that source this

DEPLOY="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"

# Fills in from names.env what the environment does not have. Its account is that of AWS's own examples, so it is not
# taken: yours is asked for.
read_names() {
    local line name
    while IFS= read -r line; do
        [[ $line == [A-Z]*=* ]] || continue
        name=${line%%=*}
        [[ $name == AWS_ACCOUNT_ID || -n ${!name:-} ]] || printf -v "$name" '%s' "${line#*=}"
    done <"$DEPLOY/names.env"
}

# Takes one option that all scripts have. Puts how many words it was into TAKEN; 0 if it is none of them.
take_option() {
    TAKEN=2
    case $1 in
        --cluster-name | --cluster) CLUSTER_NAME=$(value_of "$@") ;;
        --region) AWS_REGION=$(value_of "$@") ;;
        --queue-name | --queue) QUEUE_NAME=$(value_of "$@") ;;
        --stack-name) STACK_NAME=$(value_of "$@") ;;
        --output) OUTPUT=$(value_of "$@") ;;
        --dry-run) DRY_RUN=yes TAKEN=1 ;;
        --yes | -y) YES=yes TAKEN=1 ;;
        --help | -h) help && exit 0 ;;
        *) TAKEN=0 ;;
    esac
}

# The word after an option.
value_of() {
    [[ $# -ge 2 && $2 != --* ]] || fail "$1 needs a value; see --help"
    echo "$2"
}

# What follows from the names; to be called when all arguments are read.
derive() {
    [[ $AWS_REGION =~ ^[a-z]{2}(-[a-z]+)+-[0-9]$ ]] || fail "a region looks like eu-west-1, not \"$AWS_REGION\""
    [[ $CLUSTER_NAME =~ ^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$ ]] || fail "\"$CLUSTER_NAME\" is no name of a cluster"
    [[ $QUEUE_NAME =~ ^[A-Za-z0-9_-]{1,76}$ ]] || fail "\"$QUEUE_NAME\" is no name of a standard queue"
    # AWS CLI 1 knows only the second of the two.
    export AWS_REGION AWS_DEFAULT_REGION=$AWS_REGION AWS_PAGER=""
    DLQ_NAME="$QUEUE_NAME-dlq"
    QUEUE_STACK="${STACK_NAME:-$CLUSTER_NAME-queue}"
    EVENTS_STACK="$CLUSTER_NAME-events"
    ROLES_STACK="$CLUSTER_NAME-roles"
    KARPENTER_STACK="$CLUSTER_NAME-karpenter"
    OUTPUT="${OUTPUT:-${XDG_STATE_HOME:-$HOME/.local/state}/sluice/$CLUSTER_NAME}"
}

# The account of the credentials, unless the environment names one, which must then be the same.
find_account() {
    local found
    found=$(aws sts get-caller-identity --query Account --output text 2>&1) ||
        fail "AWS does not take the credentials: $found
Set AWS_PROFILE, or run aws configure or aws sso login, and try again."
    [[ -z ${AWS_ACCOUNT_ID:-} || $AWS_ACCOUNT_ID == "$found" ]] ||
        fail "AWS_ACCOUNT_ID is $AWS_ACCOUNT_ID, and the credentials are of account $found"
    AWS_ACCOUNT_ID=$found
    REGISTRY="${REGISTRY:-$AWS_ACCOUNT_ID.dkr.ecr.$AWS_REGION.amazonaws.com}"
    QUEUE_URL="${SQS_QUEUE_URL:-https://sqs.$AWS_REGION.amazonaws.com/$AWS_ACCOUNT_ID/$QUEUE_NAME}"
}
