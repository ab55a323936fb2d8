//! Your own manifests: what is read of them, and what is refused with its place.

use std::time::Duration;

use super::*;
use crate::simulation::{
    behavior::{Limit, Select},
    keda::Fallback,
};

const FILE: &str = r#"# The worker and what scales it.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: worker
spec:
  replicas: 1
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: orders
  namespace: shop
spec:
  scaleTargetRef:
    name: worker
  pollingInterval: 10
  cooldownPeriod: 60
  initialCooldownPeriod: 5
  minReplicaCount: 2
  maxReplicaCount: 40
  idleReplicaCount: 0
  fallback:
    failureThreshold: 3
    replicas: 6
  advanced:
    restoreToOriginalReplicaCount: true
    horizontalPodAutoscalerConfig:
      behavior:
        scaleDown:
          stabilizationWindowSeconds: 120
          selectPolicy: Min
          policies:
            - type: Pods
              value: 3
              periodSeconds: 60
  triggers:
    - type: aws-sqs-queue
      authenticationRef:
        name: aws-credentials
      metadata:
        queueURL: https://sqs.eu-west-1.amazonaws.com/123456789012/orders
        queueLength: "20"
        awsRegion: eu-west-1
        scaleOnInFlight: "false"
    - type: cron
      metadata:
        timezone: Europe/Berlin
    - type: external-push
      metadata:
        scalerAddress: sluice.keda.svc:9090
        queueURL: orders
        awsRegion: eu-west-1
"#;

fn given_error(from: &str, to: &str) -> String {
    assert!(FILE.contains(from), "{from}");
    parse("so.yaml", &FILE.replace(from, to))
        .unwrap_err()
        .to_string()
}

#[test]
fn a_scaled_object_is_read_with_all_that_it_says() {
    let found = parse("so.yaml", FILE).unwrap();
    let names: Vec<&str> = found.objects.iter().map(|own| own.name.as_str()).collect();
    assert_eq!(
        names,
        ["your shop/orders, trigger 1", "your shop/orders, trigger 3"]
    );
    let own = &found.objects[0];
    assert_eq!(
        (own.policy.queue_length, own.policy.scale_on_in_flight),
        (20, false)
    );
    assert_eq!(own.scaler, ScalerSettings::built_in());
    let expected = ScaledObject {
        min_replicas: 2,
        max_replicas: 40,
        idle_replicas: Some(0),
        polling_interval: Duration::from_secs(10),
        cooldown: Duration::from_mins(1),
        fallback: Some(Fallback {
            failure_threshold: 3,
            replicas: 6,
        }),
    };
    assert_eq!(own.object, expected);
    assert_eq!(found.objects[1].scaler, ScalerSettings::sluice());
    assert_eq!(
        found.notes,
        ["so.yaml:46:7: a trigger of type \"cron\" is not simulated"]
    );
}

#[test]
fn a_behavior_keeps_kubernetes_defaults_where_it_says_nothing() {
    let found = parse("so.yaml", FILE).unwrap();
    let behavior = found.objects[0].autoscaler.behavior.clone().unwrap();
    assert_eq!(behavior.down.stabilization_window, Duration::from_mins(2));
    assert_eq!(behavior.down.select, Select::Min);
    assert_eq!(behavior.down.limits, [Limit::pods(3, 60)]);
    assert_eq!(
        behavior.up,
        crate::simulation::behavior::Behavior::default().up
    );
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let table = [
        (
            "pollingInterval: 10",
            "pollingIntervall: 10",
            "so.yaml:17:3: ",
            "pollingIntervall",
        ),
        (
            "pollingInterval: 10",
            "pollingInterval: soon",
            "so.yaml:17:20: ",
            "u32",
        ),
        (
            "periodSeconds: 60",
            "periodSeconds: 6000",
            "so.yaml:36:30: ",
            "expected 1 to 1800 seconds, found 6000",
        ),
        ("\"20\"", "\"many\"", "so.yaml:43:22: ", "queueLength"),
        ("\"20\"", "\"0\"", "so.yaml:43:22: ", "above 0"),
        ("\"20\"", "20", "so.yaml:43:22: ", "quot"),
        (
            "idleReplicaCount: 0",
            "idleReplicaCount: 2",
            "so.yaml:15:3: ",
            "idleReplicaCount 2 is not below",
        ),
        (
            "maxReplicaCount: 40",
            "maxReplicaCount: 1",
            "so.yaml:15:3: ",
            "maxReplicaCount 1 is below",
        ),
        ("  name: orders", "  nam: orders", "so.yaml:13:3: ", "name"),
        ("kind: ScaledObject", "kind: [", "so.yaml:", ""),
    ];
    for (from, to, start, part) in table {
        let error = given_error(from, to);
        assert!(
            error.starts_with(start) && error.contains(part),
            "{to}: {error}"
        );
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn another_metric_type_and_another_fallback_are_refused_not_ignored() {
    let error = given_error(
        "    - type: aws-sqs-queue",
        "    - type: aws-sqs-queue\n      metricType: Value",
    );
    assert_eq!(
        error,
        "so.yaml:39:19: metricType: expected AverageValue, found \"Value\""
    );
    let error = given_error(
        "    replicas: 6",
        "    replicas: 6\n    behavior: currentReplicas",
    );
    assert!(error.contains("currentReplicas"), "{error}");
}

#[test]
fn a_file_without_a_trigger_about_sqs_is_refused_with_what_it_has() {
    let error = given_error("kind: ScaledObject", "kind: ScaledJob");
    assert!(
        error.starts_with("so.yaml:1:1: expected a ScaledObject with"),
        "{error}"
    );
    assert!(parse("so.yaml", "").is_err());
    assert!(parse("so.yaml", "just text").is_err());
}
