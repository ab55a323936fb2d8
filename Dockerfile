# syntax=docker/dockerfile:1
# Images of both programs, for amd64 and arm64, compiled on the machine's own architecture:
#
#   docker buildx build --platform linux/amd64,linux/arm64 --target sluice .
#   docker buildx build --platform linux/amd64,linux/arm64 --target sluice-worker .
#
# deploy/images/build makes both, with a version, and pushes them. Base images are pinned by the digest of their
# multi-architecture index; the tag beside it is for people.

# The attestation of what an image is made of (`buildx --sbom`) looks at Cargo.lock too: a program tells nothing of its crates.
ARG BUILDKIT_SBOM_SCAN_CONTEXT=true

FROM --platform=$BUILDPLATFORM rust:1.95.0-slim-trixie@sha256:e14e87345b4d5964ddcc3491d27ee046a0f23820f340c3c1e24da6880141f7c0 AS chef
ARG CARGO_CHEF=0.1.78
RUN cargo install --locked --version "$CARGO_CHEF" cargo-chef
WORKDIR /source

# Which dependencies there are, and nothing of our sources: while they stay, the layer of the dependencies does.
FROM chef AS planner
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM chef AS builder
ARG TARGETARCH
COPY deploy/images/target.sh /target.sh
# The version of a compiler from the pinned image's release; it stays in this stage.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends cmake "crossbuild-essential-$TARGETARCH" \
    && rm -rf /var/lib/apt/lists/* \
    && rustup target add "$(. /target.sh && rust_target "$TARGETARCH")"
# What the programs are built with besides their defaults.
ARG FEATURES=sluice/kubernetes
COPY --from=planner /source/recipe.json recipe.json
RUN . /target.sh && use_target "$TARGETARCH" \
    && cargo chef cook --release --locked --package sluice --package sluice-worker --features "$FEATURES" \
        --recipe-path recipe.json
COPY . .
RUN . /target.sh && use_target "$TARGETARCH" \
    && cargo build --release --locked --package sluice --package sluice-worker --features "$FEATURES" --bins \
    && install -D --target-directory /programs "target/$CARGO_BUILD_TARGET/release/sluice" \
        "target/$CARGO_BUILD_TARGET/release/sluice-worker"

# The C library and the certificates of authorities: no shell, no package manager. Nobody's user is 65532.
FROM gcr.io/distroless/cc-debian13:nonroot@sha256:54df941ed0d06a1bd95ef5e0ce391fd8d9f94b64782dc9a60062727849ee3f97 AS runtime
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.revision="$REVISION"
USER 65532:65532

# To run a program of yours with the handler `command`, build FROM this image and add the program.
FROM runtime AS sluice-worker
COPY --from=builder /programs/sluice-worker /usr/local/bin/sluice-worker
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/sluice-worker"]

# The last stage is what is built when no target is named. In a pod it must be told to listen on every address.
FROM runtime AS sluice
COPY --from=builder /programs/sluice /usr/local/bin/sluice
EXPOSE 8080 9090
ENTRYPOINT ["/usr/local/bin/sluice"]
CMD ["serve"]
