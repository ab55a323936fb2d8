# Stacks of CloudFormation that are created, brought up to date and deleted, however often that is asked for. To be sourced.
# shellcheck shell=bash

# The status of a stack, or `none`.
stack_status() {
    local answer
    if answer=$(aws cloudformation describe-stacks --stack-name "$1" --query 'Stacks[0].StackStatus' --output text 2>&1); then
        # A deleted stack can still be asked for by some.
        [[ $answer == DELETE_COMPLETE ]] && answer=none
        echo "$answer"
    elif [[ $answer == *"does not exist"* ]]; then
        echo none
    else
        fail "cannot look at the stack $1: $answer"
    fi
}

# One output of a stack.
stack_output() {
    aws cloudformation describe-stacks --stack-name "$1" --output text \
        --query "Stacks[0].Outputs[?OutputKey=='$2'].OutputValue"
}

# Makes a stack as its template and parameters say: stack_apply NAME TEMPLATE KEY=VALUE...
stack_apply() {
    local name=$1 template=$2 parameter status arguments
    shift 2
    arguments=(--stack-name "$name" --template-body "file://$DEPLOY/cloudformation/$template.yaml" --parameters)
    for parameter in "$@" "Owner=$TAG_OWNER" "Environment=$TAG_ENVIRONMENT" "Project=$TAG_PROJECT"; do
        arguments+=("ParameterKey=${parameter%%=*},ParameterValue=${parameter#*=}")
    done
    arguments+=(--capabilities CAPABILITY_NAMED_IAM)
    status=$(stack_status "$name")
    case $status in
        none) stack_create "$name" "${arguments[@]}" ;;
        *_IN_PROGRESS) fail "the stack $name is $status: wait until that is over and run this again" ;;
        ROLLBACK_COMPLETE | *_FAILED) fail "the stack $name is $status. See why, delete it, and run this again:
  aws cloudformation describe-stack-events --stack-name $name
  aws cloudformation delete-stack --stack-name $name" ;;
        *) stack_update "$name" "${arguments[@]}" ;;
    esac
}

stack_create() {
    local name=$1
    shift
    act aws cloudformation create-stack "$@" >/dev/null
    act aws cloudformation wait stack-create-complete --stack-name "$name"
    say "created the stack $name"
}

stack_update() {
    local name=$1 answer
    shift
    if answer=$(act aws cloudformation update-stack "$@" 2>&1); then
        [[ $DRY_RUN == no ]] || say "$answer"
        act aws cloudformation wait stack-update-complete --stack-name "$name"
        say "updated the stack $name"
    elif [[ $answer == *"No updates are to be performed"* ]]; then
        say "the stack $name is up to date"
    else
        fail "cannot update the stack $name: $answer"
    fi
}

# Deletes a stack and waits until it is gone.
stack_delete() {
    if [[ $(stack_status "$1") == none ]]; then
        say "there is no stack $1"
        return
    fi
    act aws cloudformation delete-stack --stack-name "$1"
    act aws cloudformation wait stack-delete-complete --stack-name "$1"
    say "deleted the stack $1"
}
