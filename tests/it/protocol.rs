//! What every client of the scaler's ports may rely on: health, reflection, pages.

use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::{v1, v1alpha};

use crate::support::*;

const SERVICE: &str = "externalscaler.ExternalScaler";

#[tokio::test]
async fn health_is_serving_for_the_server_and_for_the_service() {
    let scaler = given_scaler(given_settings()).await;
    let mut health = HealthClient::new(scaler.channel.clone());
    for service in ["", SERVICE] {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        let answer = health.check(request).await.unwrap().into_inner();
        assert_eq!(answer.status().as_str_name(), "SERVING");
    }
    let request = HealthCheckRequest {
        service: "other".to_owned(),
    };
    assert_status(health.check(request).await, Code::NotFound, &[]);
}

/// What a version of reflection says of the services there are; the versions share no types.
macro_rules! services_by {
    ($version:ident, $scaler:expr) => {{
        let list = $version::server_reflection_request::MessageRequest::ListServices(String::new());
        let request = $version::ServerReflectionRequest {
            host: String::new(),
            message_request: Some(list),
        };
        let channel = $scaler.channel.clone();
        let mut client = $version::server_reflection_client::ServerReflectionClient::new(channel);
        let answers = client.server_reflection_info(tokio_stream::once(request));
        let answer = answers.await.unwrap().into_inner().message().await;
        format!("{:?}", answer.unwrap().unwrap())
    }};
}

#[tokio::test]
async fn both_versions_of_reflection_list_the_scaler_and_health() {
    let scaler = given_scaler(given_settings()).await;
    for text in [services_by!(v1, scaler), services_by!(v1alpha, scaler)] {
        assert!(
            text.contains(SERVICE) && text.contains("grpc.health.v1.Health"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn the_pages_tell_health_readiness_and_metrics() {
    let (sqs, scaler) = (given_sqs().await, given_scaler(given_settings()).await);
    scaler.value(&sqs.metadata).await.unwrap();
    assert_eq!(scaler.page("/healthz").await, (200, "ok\n".to_owned()));
    assert_eq!(scaler.page("/readyz").await, (200, "ready\n".to_owned()));
    assert_eq!(scaler.page("/other").await.0, 404);
    let (status, page) = scaler.page("/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "sluice_rpcs_total{method=\"GetMetrics\",code=\"Ok\"} 1",
        "sluice_sqs_requests_total{outcome=\"Ok\"} 1",
        "sluice_cache_answers_total{answer=\"Fetched\"} 1",
        "# TYPE sluice_rpcs_total counter",
    ] {
        assert!(page.contains(line), "{line:?} is not in\n{page}");
    }
}
