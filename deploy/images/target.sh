# Which compiler and which target of Rust belong to an architecture, by Docker's name of it. To be sourced.
# shellcheck shell=sh

# The target of Rust.
rust_target() {
    case "$1" in
        amd64) echo x86_64-unknown-linux-gnu ;;
        arm64) echo aarch64-unknown-linux-gnu ;;
        *) echo "no target for $1; there are amd64 and arm64" >&2 && return 1 ;;
    esac
}

# Lets cargo, and what it runs for C code, compile for the architecture.
use_target() {
    target=$(rust_target "$1") || return 1
    gnu="${target%-unknown-linux-gnu}-linux-gnu"
    underscored=$(echo "$target" | tr - _)
    shouted=$(echo "$underscored" | tr '[:lower:]' '[:upper:]')
    export CARGO_BUILD_TARGET="$target"
    export "CARGO_TARGET_${shouted}_LINKER=$gnu-gcc"
    export "CC_$underscored=$gnu-gcc" "CXX_$underscored=$gnu-g++" "AR_$underscored=$gnu-ar"
}
