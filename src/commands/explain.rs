//! `sluice explain`.

use std::{
    collections::HashMap,
    io::{self, Write},
    path::Path,
    time::Duration,
};

use anyhow::{Context, anyhow, bail};

use super::files;
use crate::{
    cli::ExplainArgs,
    client,
    clock::EpochClock,
    explain::{Explained, Explainer, TRIGGERS_MAX, Words},
    manifest,
    queue::{AwsConfig, SqsSource, cloudwatch::CloudWatchSource},
    ramp::Ramp,
    status::{ScaledObjectList, ScaledObjectReport},
};

/// A person waits: longer than KEDA would.
const FETCH_DEADLINE: Duration = Duration::from_secs(5);

pub(super) async fn run(args: &ExplainArgs) -> anyhow::Result<()> {
    let Some(target) = &args.target else {
        let ramp = Ramp::try_from(&args.ramp)?;
        return Ok(write!(io::stdout().lock(), "{ramp}")?);
    };
    let path = Path::new(target);
    let explained = if files::is_standard_input(path) || path.exists() {
        of_file(path, args).await?
    } else if let Some((namespace, name)) = object_name(target) {
        of_server(&args.server, namespace, name).await?
    } else {
        bail!("there is no file {target:?}, and it is no namespace/name such as shop/orders");
    };
    print(&explained, args.json)?;
    complain(&explained.list)
}

/// `namespace/name`, both as Kubernetes allows them.
fn object_name(target: &str) -> Option<(&str, &str)> {
    let is_name = |text: &str| {
        let is_allowed = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
        };
        !text.is_empty() && text.bytes().all(is_allowed)
    };
    let (namespace, name) = target.split_once('/')?;
    let is_file = Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml");
    (is_name(namespace) && is_name(name) && !is_file).then_some((namespace, name))
}

async fn of_file(path: &Path, args: &ExplainArgs) -> anyhow::Result<Explained> {
    let variable = |name: &str| std::env::var(name).ok();
    let triggers = manifest::sqs_triggers(&files::name(path), &files::read(path)?, variable)?;
    if triggers.is_empty() {
        bail!(
            "{}: expected a ScaledObject or ScaledJob with a trigger of type aws-sqs-queue, external or \
             external-push that names a queue, found none",
            files::name(path)
        );
    }
    if triggers.len() > TRIGGERS_MAX {
        bail!(
            "expected at most {TRIGGERS_MAX} triggers, found {}",
            triggers.len()
        );
    }
    let aws = AwsConfig::from_environment().await;
    let endpoint = args.cloudwatch.endpoint();
    let explainer = Explainer {
        queues: SqsSource::new(aws.clone(), FETCH_DEADLINE),
        minutes: endpoint.map(|endpoint| CloudWatchSource::new(aws, endpoint)),
        clock: EpochClock::start(),
    };
    Ok(explainer.explain(&triggers).await)
}

async fn of_server(server: &str, namespace: &str, name: &str) -> anyhow::Result<Explained> {
    let path = format!("/api/v1/scaledobjects/{namespace}/{name}");
    let (status, text) = client::get(server, &path).await.with_context(|| {
        format!("--server {server}: is Sluice there, and its HTTP port forwarded?")
    })?;
    let object: ScaledObjectReport = match status {
        200 => serde_json::from_str(&text)
            .with_context(|| format!("{server} answered something else than the API of Sluice"))?,
        404 => return Err(unknown(server, namespace, name, &text).await),
        status => bail!("{server} answered {status}: {text}"),
    };
    Ok(Explained {
        list: ScaledObjectList {
            scaledobjects: vec![object],
            left_out: 0,
            rejected: Vec::new(),
        },
        remarks: HashMap::new(),
    })
}

/// So many objects are named to choose from.
const NAMED_MAX: usize = 20;

/// What the server says of an object that it does not know, and which ones it knows.
async fn unknown(server: &str, namespace: &str, name: &str, text: &str) -> anyhow::Error {
    let said = serde_json::from_str::<serde_json::Value>(text).ok();
    let said = said.and_then(|said| Some(said.get("error")?.as_str()?.to_owned()));
    let said = said.unwrap_or_else(|| format!("{server} answered 404: is it Sluice?"));
    let known = client::get(server, "/api/v1/scaledobjects").await.ok();
    let known: Option<ScaledObjectList> =
        known.and_then(|(_, text)| serde_json::from_str(&text).ok());
    let known = known.map(|list| list.scaledobjects).unwrap_or_default();
    let names: Vec<String> = known
        .iter()
        .take(NAMED_MAX)
        .map(|object| format!("{}/{}", object.namespace, object.name))
        .collect();
    let asking = if names.is_empty() {
        "no object asks: has KEDA its scalerAddress right? `sluice doctor` finds out".to_owned()
    } else {
        format!("those that ask are {}", names.join(", "))
    };
    anyhow!("{namespace}/{name}: {said}; {asking}")
}

fn print(explained: &Explained, as_json: bool) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if as_json {
        serde_json::to_writer_pretty(&mut out, &explained.list)?;
        return Ok(writeln!(out)?);
    }
    for (number, object) in explained.list.scaledobjects.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        let name = format!("{}/{}", object.namespace, object.name);
        let remarks = explained.remarks.get(&name).map_or(&[][..], Vec::as_slice);
        write!(out, "{}", Words { object, remarks })?;
    }
    Ok(())
}

/// An object whose metadata is wrong, or whose queue cannot be seen, is no success.
fn complain(list: &ScaledObjectList) -> anyhow::Result<()> {
    let rejected = list.rejected.iter();
    let rejected: Vec<String> = rejected
        .map(|object| format!("{}/{}: {}", object.namespace, object.name, object.error))
        .collect();
    if !rejected.is_empty() {
        bail!("{}", rejected.join("\n"));
    }
    let triggers = list
        .scaledobjects
        .iter()
        .flat_map(|object| &object.triggers);
    let unseen = triggers
        .filter(|trigger| trigger.decision.is_none())
        .count();
    if unseen > 0 {
        bail!("nothing can be decided for {unseen} of the triggers: their queue cannot be seen");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_told_from_a_file() {
        assert_eq!(object_name("shop/orders"), Some(("shop", "orders")));
        for other in [
            "orders",
            "k8s/orders.yaml",
            "a/b/c",
            "Shop/orders",
            "/orders",
            "shop/",
        ] {
            assert_eq!(object_name(other), None, "{other}");
        }
    }
}
