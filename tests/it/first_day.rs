//! The first day of a user, as the README tells it: migrate, serve, explain, doctor, and back.

use std::{path::Path, process::Output};

use sluice::{
    grpc::proto::{ScaledObjectRef, external_scaler_client::ExternalScalerClient},
    manifest,
};
use tokio::process::Command;

use crate::{process::given_process, support::*};

async fn sluice(sqs: &Sqs, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args(arguments)
        .env("AWS_ACCESS_KEY_ID", "AKIALOCAL")
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_ENDPOINT_URL", &sqs.metadata["awsEndpoint"])
        .output()
        .await
        .map(looked_at)
        .expect("the binary")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
#[allow(
    clippy::too_many_lines,
    reason = "one day, told from its start to its end"
)]
async fn a_user_moves_over_looks_around_and_could_go_back() {
    let (sqs, process) = (
        given_sqs().await,
        given_process(&["--cloudwatch", "off"]).await,
    );
    sqs.send(12);
    let before = format!(
        "# the orders of the shop\nkind: ScaledObject\nmetadata: {{name: orders, namespace: shop}}\nspec:\n  triggers:\n  - \
         type: aws-sqs-queue\n    metadata:\n      queueURL: {} # the queue\n      awsRegion: eu-west-1\n      awsEndpoint: \
         {}\n      awsAccessKeyIDFromEnv: KEY_ID\n      awsSecretAccessKeyFromEnv: KEY\n",
        sqs.metadata["queueURL"], sqs.metadata["awsEndpoint"]
    );
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("first-day.yaml");
    std::fs::write(&path, &before).expect("a file");
    let file = path.to_str().expect("a path");
    assert!(
        sluice(&sqs, &["migrate", file, "--in-place"])
            .await
            .status
            .success()
    );

    // What KEDA does with it: it resolves the variables, and asks.
    let text = std::fs::read_to_string(&path).expect("a file");
    let pod = |name: &str| {
        Some(
            if name == "KEY_ID" {
                "AKIALOCAL"
            } else {
                SECRET
            }
            .to_owned(),
        )
    };
    let trigger = manifest::sqs_triggers(file, &text, pod)
        .expect("a manifest")
        .remove(0);
    assert_eq!(trigger.kind, "external-push");
    let mut client = ExternalScalerClient::new(connect(process.grpc).await);
    let asked = ScaledObjectRef {
        name: trigger.object.name,
        namespace: trigger.object.namespace,
        scaler_metadata: trigger.metadata,
    };
    let answer = client
        .is_active(asked)
        .await
        .expect("an answer")
        .into_inner();
    assert!(answer.result);

    let server = format!("http://{}", process.http);
    let live = sluice(&sqs, &["explain", "shop/orders", "--server", &server]).await;
    assert!(
        out(&live).contains("active, 12 messages at 5 a replica: 3 replicas"),
        "{}",
        out(&live)
    );
    let asked = sluice(&sqs, &["explain", file, "--cloudwatch", "off"]).await;
    assert!(
        out(&asked).contains("active, 12 messages at 5 a replica: 3 replicas"),
        "{}",
        out(&asked)
    );
    let arguments = ["doctor", file, "--server", &server, "--watch-seconds=0.1"];
    let found = sluice(&sqs, &arguments).await;
    assert_eq!(found.status.code(), Some(0), "{}", out(&found));
    assert!(
        out(&found).contains("ok       keda-connection"),
        "{}",
        out(&found)
    );

    assert!(
        sluice(&sqs, &["migrate", file, "--in-place", "--reverse"])
            .await
            .status
            .success()
    );
    assert_eq!(std::fs::read_to_string(&path).expect("a file"), before);
}
