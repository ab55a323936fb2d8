//! What is asked of the API server: the names of pods, what an autoscaler last saw, and the annotation of a pod.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{Cluster, ClusterError};

/// A page that lists more pods than this helps nobody.
const PODS_MAX: usize = 500;
/// Pods without their specifications and states.
const NAMES_ONLY: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
/// Autoscalers of one namespace that are looked at.
const AUTOSCALERS_MAX: usize = 100;

impl Cluster {
    /// Names of the pods with these labels, 500 at most.
    pub async fn pod_names(&self, selector: &str) -> Result<Vec<String>, ClusterError> {
        let selector = utf8_percent_encode(selector, NON_ALPHANUMERIC);
        let pods = self.namespaced("api/v1", "pods");
        let path = format!("{pods}?labelSelector={selector}&limit={PODS_MAX}");
        Ok(names(&self.get(&path, NAMES_ONLY).await?))
    }

    /// The average per pod of the metric that the autoscaler of this name follows, or of the first one that has any;
    /// `None` while none has.
    pub async fn autoscaled_average(
        &self,
        name: Option<&str>,
    ) -> Result<Option<f64>, ClusterError> {
        let autoscalers = self.namespaced("apis/autoscaling/v2", "horizontalpodautoscalers");
        let path = match name {
            Some(name) => format!("{autoscalers}/{name}"),
            None => format!("{autoscalers}?limit={AUTOSCALERS_MAX}"),
        };
        Ok(average(&self.get(&path, "application/json").await?))
    }

    /// Sets an annotation of a pod.
    pub async fn annotate(&self, pod: &str, key: &str, value: &str) -> Result<(), ClusterError> {
        let path = format!("{}/{pod}", self.namespaced("api/v1", "pods"));
        let change = json!({ "metadata": { "annotations": { key: value } } });
        self.patch(&path, &change).await.map(|_| ())
    }

    fn namespaced(&self, group: &str, kind: &str) -> String {
        format!("/{group}/namespaces/{}/{kind}", self.namespace)
    }
}

fn items(list: &Value) -> &[Value] {
    let items = list.get("items").and_then(Value::as_array);
    items.map_or(&[], Vec::as_slice)
}

fn names(pods: &Value) -> Vec<String> {
    let names = items(pods).iter();
    names
        .filter_map(|pod| Some(pod.pointer("/metadata/name")?.as_str()?.to_owned()))
        .collect()
}

/// Of one autoscaler or of a list of them.
fn average(answer: &Value) -> Option<f64> {
    let one = std::slice::from_ref(answer);
    let autoscalers = if answer.get("items").is_some() {
        items(answer)
    } else {
        one
    };
    let metrics = autoscalers.iter().filter_map(|autoscaler| {
        let metrics = autoscaler.pointer("/status/currentMetrics")?;
        metrics.as_array()
    });
    metrics
        .flatten()
        .find_map(|metric| quantity(metric.pointer("/external/current/averageValue")?.as_str()?))
}

/// `22500m` is 22.5, `3k` is 3000.
fn quantity(text: &str) -> Option<f64> {
    let letters = text.trim_start_matches(|c: char| c.is_ascii_digit() || ".+-".contains(c));
    let number: f64 = text.strip_suffix(letters)?.parse().ok()?;
    let factor = match letters {
        "m" => 0.001,
        "" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        _ => return None,
    };
    Some(number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_numbers_with_a_letter_for_their_size() {
        let table = [
            ("22500m", Some(22.5)),
            ("7", Some(7.0)),
            ("2k", Some(2_000.0)),
            ("many", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(quantity(text), expected, "{text:?}");
        }
    }

    #[test]
    fn an_average_is_that_of_the_first_external_metric() {
        let autoscaler = json!({ "status": { "currentMetrics": [
            { "type": "Resource", "resource": { "current": { "averageUtilization": 3 } } },
            { "type": "External", "external": { "current": { "averageValue": "4500m" } } },
        ] } });
        assert_eq!(average(&autoscaler), Some(4.5));
        assert_eq!(average(&json!({ "items": [{}, autoscaler] })), Some(4.5));
        assert_eq!(average(&json!({ "items": [] })), None);
    }
}
