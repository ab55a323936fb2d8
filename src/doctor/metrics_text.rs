//! The text that Prometheus reads, as far as a few numbers of it are wanted.

/// One page of metrics.
#[derive(Debug)]
pub(super) struct Metrics<'a> {
    samples: Vec<Sample<'a>>,
}

#[derive(Debug)]
struct Sample<'a> {
    name: &'a str,
    /// As they are written, between the braces.
    labels: &'a str,
    value: f64,
}

impl<'a> Metrics<'a> {
    /// Lines that are none are left out.
    pub(super) fn parse(page: &'a str) -> Self {
        let lines = page.lines().filter(|line| !line.starts_with('#'));
        Self {
            samples: lines.filter_map(sample).collect(),
        }
    }

    /// The sum over all samples of this name with these labels.
    pub(super) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |sample: &&Sample<'_>| {
            let mut wanted = labels.iter();
            wanted.all(|(label, value)| sample.label(label) == Some(value))
        };
        let named = self.samples.iter().filter(|sample| sample.name == name);
        named.filter(has).map(|sample| sample.value).sum()
    }

    /// The least value of this name.
    pub(super) fn least(&self, name: &str) -> Option<f64> {
        let named = self.samples.iter().filter(|sample| sample.name == name);
        named.map(|sample| sample.value).reduce(f64::min)
    }

    /// A label of the first sample of this name.
    pub(super) fn label(&self, name: &str, label: &str) -> Option<&'a str> {
        let mut named = self.samples.iter().filter(|sample| sample.name == name);
        named.next().and_then(|sample| sample.label(label))
    }
}

impl<'a> Sample<'a> {
    /// The value of a label; none of ours has a quote in it.
    fn label(&self, name: &str) -> Option<&'a str> {
        let pairs = self.labels.split("\",");
        pairs
            .filter_map(|pair| pair.split_once("=\""))
            .find(|(label, _)| label.trim() == name)
            .map(|(_, value)| value.trim_end_matches('"'))
    }
}

fn sample(line: &str) -> Option<Sample<'_>> {
    let (name, labels, rest) = if let Some((name, rest)) = line.split_once('{') {
        let (labels, rest) = rest.rsplit_once('}')?;
        (name, labels, rest)
    } else {
        let (name, rest) = line.split_once(' ')?;
        (name, "", rest)
    };
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some(Sample {
        name,
        labels,
        value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_labels_are_read() {
        let page = "\
# HELP sluice_rpcs Calls
# TYPE sluice_rpcs counter
sluice_rpcs_total{method=\"GetMetrics\",code=\"Ok\"} 5
sluice_rpcs_total{method=\"IsActive\",code=\"Ok\"} 4
sluice_rpcs_total{method=\"IsActive\",code=\"Unavailable\"} 1
sluice_watched_queues 2
keda_build_info{git_commit=\"a\",goversion=\"go1.26\",version=\"2.20.2\"} 1 1700000000
nonsense
# EOF
";
        let metrics = Metrics::parse(page);
        assert!((metrics.sum("sluice_rpcs_total", &[]) - 10.0).abs() < 1e-9);
        assert!((metrics.sum("sluice_rpcs_total", &[("code", "Ok")]) - 9.0).abs() < 1e-9);
        assert_eq!(metrics.least("sluice_rpcs_total"), Some(1.0));
        assert_eq!(metrics.least("other"), None);
        assert_eq!(metrics.label("keda_build_info", "version"), Some("2.20.2"));
    }
}
