//! What is typed for the page that sends, and how it is checked.

use clap::Args;

use super::Faults;
use super::cluster::ClusterArguments;
use super::listen::ListenArguments;
use super::log::LogArguments;
use crate::send::SendSettings;
use crate::send::authentication::{Authentication, Password};
use crate::settings::QueueSettings;

/// Shorter ones are found by trying.
const PASSWORD_LETTERS_MIN: usize = 12;

#[derive(Debug, Args)]
pub struct SendArguments {
    /// URL of the queue (required, or `SQS_QUEUE_NAME`)
    #[arg(long, env = "SQS_QUEUE_URL", value_name = "URL")]
    sqs_queue_url: Option<String>,
    #[arg(long, env = "SQS_QUEUE_NAME", hide = true)]
    sqs_queue_name: Option<String>,

    /// AWS region of the queue; without it the AWS configuration decides
    #[arg(long, env = "AWS_REGION", value_name = "REGION")]
    aws_region: Option<String>,

    /// Who may use the page: basic (a user with a password) or none (everybody who reaches it)
    #[arg(
        long,
        env = "SLUICE_WORKER_AUTHENTICATION",
        value_name = "HOW",
        default_value = "basic"
    )]
    authentication: String,

    /// The user that may use the page
    #[arg(
        long,
        env = "SLUICE_WORKER_USER",
        value_name = "NAME",
        default_value = "sluice"
    )]
    user: String,

    /// The password of the user, 12 letters or more; everybody on the machine can read flags, so use the variable
    #[arg(
        long,
        env = "SLUICE_WORKER_PASSWORD",
        value_name = "PASSWORD",
        hide_env_values = true
    )]
    password: Option<String>,

    /// Labels of the pods that work on the queue, as a selector
    #[arg(
        long,
        env = "SLUICE_WORKER_PODS",
        value_name = "SELECTOR",
        default_value = "app=sqs-consumer"
    )]
    pods: String,

    /// Name of their HorizontalPodAutoscaler; without it the first one of the namespace with an external metric
    #[arg(long, env = "SLUICE_WORKER_AUTOSCALER", value_name = "NAME")]
    autoscaler: Option<String>,

    #[command(flatten)]
    cluster: ClusterArguments,

    #[command(flatten)]
    listen: ListenArguments,

    #[command(flatten)]
    log: LogArguments,
}

impl SendArguments {
    /// Checks everything, so that one run tells all faults.
    pub fn check(self) -> Result<SendSettings, Faults> {
        let mut faults = Faults::default();
        let name = self.sqs_queue_name.as_deref();
        let name = name.map(|name| ("SQS_QUEUE_NAME", name));
        let url = faults.queue(self.sqs_queue_url.as_deref(), name);
        if let Some(name) = &self.autoscaler {
            faults.kubernetes_name("SLUICE_WORKER_AUTOSCALER", name);
        }
        let settings = SendSettings {
            queue: QueueSettings {
                region: self.aws_region.clone().filter(|region| !region.is_empty()),
                ..QueueSettings::new(&url)
            },
            authentication: self.authentication(&mut faults),
            pod: self.cluster.pod(),
            cluster: self.cluster.check(&mut faults),
            pods: self.pods,
            autoscaler: self.autoscaler,
            listen: self.listen.check(&mut faults),
            log: self.log.check(&mut faults),
        };
        faults.or(settings)
    }

    fn authentication(&self, faults: &mut Faults) -> Authentication {
        let how = ["basic", "none"];
        if faults.one_of("SLUICE_WORKER_AUTHENTICATION", &self.authentication, how) == "none" {
            return Authentication::None;
        }
        if self.user.is_empty() || self.user.contains(':') {
            let wanted = "a name without a colon";
            faults.add("SLUICE_WORKER_USER", wanted, &format!("{:?}", self.user));
        }
        let password = self.password.as_deref().unwrap_or_default();
        let letters = password.chars().count();
        if letters < PASSWORD_LETTERS_MIN {
            let wanted = format!(
                "{PASSWORD_LETTERS_MIN} letters or more, or SLUICE_WORKER_AUTHENTICATION none"
            );
            faults.add("SLUICE_WORKER_PASSWORD", &wanted, &letters.to_string());
        }
        Authentication::Basic {
            user: self.user.clone(),
            password: Password::new(password),
        }
    }
}
