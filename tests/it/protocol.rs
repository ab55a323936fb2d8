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

#[tokio::test]
async fn both_versions_of_reflection_list_the_scaler_and_health() {
    let scaler = given_scaler(given_settings()).await;
    let list = v1::server_reflection_request::MessageRequest::ListServices(String::new());
    let request = v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(list),
    };
    let mut client =
        v1::server_reflection_client::ServerReflectionClient::new(scaler.channel.clone());
    let answers = client
        .server_reflection_info(tokio_stream::once(request))
        .await
        .unwrap();
    let answer = answers.into_inner().message().await.unwrap().unwrap();
    let text = format!("{answer:?}");
    assert!(
        text.contains(SERVICE) && text.contains("grpc.health.v1.Health"),
        "{text}"
    );

    let list = v1alpha::server_reflection_request::MessageRequest::ListServices(String::new());
    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(list),
    };
    let mut client =
        v1alpha::server_reflection_client::ServerReflectionClient::new(scaler.channel.clone());
    let answers = client
        .server_reflection_info(tokio_stream::once(request))
        .await
        .unwrap();
    let answer = answers.into_inner().message().await.unwrap().unwrap();
    let text = format!("{answer:?}");
    assert!(
        text.contains(SERVICE) && text.contains("grpc.health.v1.Health"),
        "{text}"
    );
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
