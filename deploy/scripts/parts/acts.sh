# Saying, asking and doing, or only saying what would be done. To be sourced.
# shellcheck shell=bash

DRY_RUN=no YES=no

# To people; what a program could use goes to standard output.
say() { printf '%s\n' "$*" >&2; }

# The heading of a step.
step() { say ""; say "=== $*"; }

# Ends the script with the reason.
fail() {
    say "error: $*"
    exit 1
}

# Does it, or with --dry-run says what would be done. Everything that changes something goes through here.
act() {
    if [[ $DRY_RUN == yes ]]; then
        printf 'would run:' >&2
        printf ' %q' "$@" >&2
        say ""
    else
        "$@"
    fi
}

# Goes on only if a person wants to, or said so with --yes.
ask() {
    if [[ $YES == yes || $DRY_RUN == yes ]]; then return; fi
    [[ -t 0 ]] || fail "$1 Say --yes where nobody can be asked."
    local answer
    read -r -p "$1 [y/N] " answer
    [[ $answer == [yY]* ]] || fail "stopped; nothing was changed"
}

# The comment at the head of the script, as its help.
help() {
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
}
