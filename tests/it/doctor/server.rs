//! What is wrong between KEDA and a scaler that runs: connection, versions, certificates.

use std::{path::Path, time::Duration};

use axum::{Router, routing::get};
use sluice::{
    doctor::Severity,
    local::FaultAction,
    tls::{TlsFeed, TlsSettings},
};
use tokio::time::timeout;

use super::{assert_found, given_account};
use crate::support::*;

#[tokio::test]
async fn a_server_is_asked_whether_keda_calls_it_and_how_it_is_answered() {
    let (account, sqs) = (given_account().await, given_sqs().await);
    let scaler = given_scaler(given_settings()).await;
    let server = format!("http://{}", scaler.http);
    let (report, code) = account.doctor(&["--server", &server]).await;
    assert_eq!(code, Some(1));
    assert_found(&report, "server", Severity::Ok, "");
    assert_found(
        &report,
        "keda-connection",
        Severity::Problem,
        "scalerAddress",
    );
    assert_found(&report, "keda-version", Severity::Unknown, "--keda-metrics");
    assert_found(&report, "certificate", Severity::Unknown, "NetworkPolicy");

    scaler.value(&sqs.metadata).await.expect("a value");
    sqs.fault(FaultAction::AccessDenied);
    let (report, _) = account.doctor(&["--server", &server]).await;
    assert_found(&report, "keda-connection", Severity::Ok, "");
    // Its queue was looked at as well, by the address that the trigger has.
    assert_found(
        &report,
        "queue",
        Severity::Problem,
        "sqs:GetQueueAttributes",
    );

    let (report, _) = account.doctor(&["--server", "http://127.0.0.1:1"]).await;
    assert_found(&report, "server", Severity::Problem, "port-forward");
}

#[tokio::test]
async fn kedas_own_metrics_tell_its_version() {
    let account = given_account().await;
    let page = "keda_build_info{goversion=\"go1.24\",version=\"2.16.1\"} 1\n";
    let listener = tokio::net::TcpListener::bind(LOOPBACK)
        .await
        .expect("a free port");
    let keda = format!("http://{}", listener.local_addr().expect("an address"));
    let routes = Router::new().route("/metrics", get(move || async move { page }));
    // It ends with the runtime of this test.
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let arguments = ["--queue", &account.queue, "--keda-metrics", &keda];
    let (report, _) = account.doctor(&arguments).await;
    assert_found(
        &report,
        "keda-version",
        Severity::Warning,
        "upgrade KEDA to 2.20",
    );
}

#[tokio::test]
async fn a_certificate_that_has_ended_is_found() {
    let account = given_account().await;
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/certificates/expired.pem"
    );
    let (report, code) = account
        .doctor(&["--queue", &account.queue, "--certificate", file])
        .await;
    assert_eq!(code, Some(1));
    assert_found(&report, "certificate", Severity::Problem, "renew it");
}

#[tokio::test]
async fn the_certificate_that_a_server_speaks_with_is_looked_at() {
    let account = given_account().await;
    let mut params = rcgen::CertificateParams::new(vec!["sluice.keda.svc".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2040, 1, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let settings = TlsSettings {
        certificate: folder.join("doctor.crt"),
        key: folder.join("doctor.key"),
        client_ca: None,
        client_names: Vec::new(),
    };
    std::fs::write(&settings.certificate, certificate.pem()).expect("a file");
    std::fs::write(&settings.key, key.serialize_pem()).expect("a file");
    let (_, http) = given_secured_scaler(TlsFeed::load(settings).expect("a pair")).await;
    // The server tells when its certificate ends once it has looked at it.
    let told = async {
        loop {
            let page = http_get(http, "/metrics").await.expect("a page").1;
            let expiry = "sluice_tls_certificate_expiry_timestamp_seconds";
            if page.lines().any(|line| line.starts_with(expiry)) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(20), told)
        .await
        .expect("an expiry");
    let server = format!("http://{http}");
    let (report, _) = account.doctor(&["--server", &server]).await;
    assert_found(&report, "certificate", Severity::Ok, "");
}
