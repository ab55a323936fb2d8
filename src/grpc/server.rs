//! The services of the gRPC port, and how long a peer may take for what.

use std::time::Duration;

use tonic::transport::{Server, server::Router};
use tonic_health::{
    ServingStatus,
    pb::health_server::{Health, HealthServer},
    server::HealthReporter,
};

use super::{
    Limits, ScalerService,
    proto::{
        DESCRIPTOR_SET,
        unread::external_scaler_server::{ExternalScalerServer, SERVICE_NAME},
    },
};
use crate::queue::QueueSource;

/// KEDA holds one connection for hours; a peer that is gone is noticed within their sum.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// KEDA holds two streams for every trigger on a single connection, and at this limit its other calls would
/// wait for ever: it is well above two for each trigger that is kept.
const CONNECTION_STREAMS_MAX: u32 = 65_536;

/// Headers of a call; KEDA's have less than a kibibyte.
const HEADER_BYTES_MAX: u32 = 16 << 10;

/// A request must have come as a whole, and its answer begun, within this time. The calls of KEDA have a
/// shorter deadline of their own, which begins when the request has come.
const REQUEST_DEADLINE: Duration = Duration::from_secs(20);

/// The gRPC services: the scaler, health, and both versions of reflection that clients ask for.
///
/// # Errors
/// When the contract cannot be described.
pub fn router<S: QueueSource>(
    scaler: ScalerService<S>,
    health: HealthServer<impl Health>,
    (connection_age, limits): (Option<Duration>, Limits),
) -> Result<Router, tonic_reflection::server::Error> {
    let describe = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let server = match connection_age {
        // Without a grace nothing is cut off: streams end themselves, right after.
        Some(age) => Server::builder().max_connection_age(age),
        None => Server::builder(),
    };
    Ok(server
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .max_concurrent_streams(CONNECTION_STREAMS_MAX)
        .timeout(REQUEST_DEADLINE)
        .add_service(
            ExternalScalerServer::new(scaler).max_decoding_message_size(limits.message_bytes_max),
        )
        .add_service(health)
        .add_service(describe().build_v1()?)
        .add_service(describe().build_v1alpha()?))
}

/// The health of the scaler, serving from now on.
pub async fn start_health() -> (HealthReporter, HealthServer<impl Health>) {
    let (health, service) = tonic_health::server::health_reporter();
    health
        .set_service_status(SERVICE_NAME, ServingStatus::Serving)
        .await;
    (health, service)
}

/// Tells those who watch the health that it is over, and ends their streams, which would outlive
/// the drain.
pub async fn stop_health(health: &mut HealthReporter) {
    for service in ["", SERVICE_NAME] {
        health
            .set_service_status(service, ServingStatus::NotServing)
            .await;
        health.clear_service_status(service).await;
    }
}
