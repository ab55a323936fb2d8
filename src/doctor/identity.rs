//! As whom AWS knows us, and what time it is there. The one file that names the SDK of STS.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_sdk_sts::{
    Client,
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::BeforeDeserializationInterceptorContextRef, retry::RetryConfig,
        timeout::TimeoutConfig,
    },
    error::{BoxError, DisplayErrorContext, ProvideErrorMetadata, SdkError},
    operation::get_caller_identity::GetCallerIdentityError,
    primitives::{DateTime, DateTimeFormat},
};

use super::Finding;
use crate::queue::AwsConfig;

/// A question with its retry: a person waits.
const DEADLINE: Duration = Duration::from_secs(8);
const ATTEMPTS: u32 = 2;

/// AWS refuses requests that are signed this far from its own time.
const SKEW_MAX: Duration = Duration::from_mins(5);

/// A clock that is kept by anything is nearer than this.
const SKEW_NOTABLE: Duration = Duration::from_secs(30);

/// Where the process runs, as far as its environment tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Surroundings {
    /// In a pod.
    pub is_in_pod: bool,
    /// With credentials of its own: a role for its service account, or keys.
    pub has_own_credentials: bool,
}

impl Surroundings {
    /// What `has`, which tells whether a variable is set, says.
    pub fn from_environment(has: impl Fn(&str) -> bool) -> Self {
        const CREDENTIALS: [&str; 4] = [
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_ACCESS_KEY_ID",
        ];
        Self {
            is_in_pod: has("KUBERNETES_SERVICE_HOST"),
            has_own_credentials: CREDENTIALS.into_iter().any(has),
        }
    }
}

/// Asks STS who we are, in `region`, at `now` since the Unix epoch.
pub(super) async fn examine(
    aws: &AwsConfig,
    region: &str,
    (surroundings, now): (Surroundings, Duration),
) -> Vec<Finding> {
    let date = Date::default();
    let asked = client(aws, region, date.clone())
        .get_caller_identity()
        .send()
        .await;
    let identity = match asked {
        Ok(known) => known_as(
            known.arn().unwrap_or("somebody without a name"),
            surroundings,
        ),
        Err(error) => not_known(&error),
    };
    vec![identity, clock(date.seen(), now)]
}

fn client(aws: &AwsConfig, region: &str, date: Date) -> Client {
    let timeouts = TimeoutConfig::builder()
        .operation_timeout(DEADLINE)
        .connect_timeout(DEADLINE / 4)
        .build();
    let config = aws_sdk_sts::config::Builder::from(&aws.in_region(region))
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .interceptor(date);
    Client::from_conf(config.build())
}

/// The `Date` of the last answer, whatever it was.
#[derive(Debug, Clone, Default)]
struct Date(Arc<Mutex<Option<Duration>>>);

impl Date {
    fn seen(&self) -> Option<Duration> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for Date {
    fn name(&self) -> &'static str {
        "date"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|text| DateTime::from_str(text, DateTimeFormat::HttpDate).ok());
        let seconds = date.and_then(|date| u64::try_from(date.secs()).ok());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = seconds.map(Duration::from_secs);
        Ok(())
    }
}

fn known_as(arn: &str, surroundings: Surroundings) -> Finding {
    let Surroundings {
        is_in_pod,
        has_own_credentials,
    } = surroundings;
    if is_in_pod && !has_own_credentials {
        let found = format!("AWS knows us as {arn}, which is the role of the node");
        return Finding::warning("credentials", found).remedy(
            "give the service account a role of its own (an EKS Pod Identity association, or the annotation \
             eks.amazonaws.com/role-arn) and restart the pod",
        );
    }
    Finding::ok("credentials", format!("AWS knows us as {arn}"))
}

fn not_known(error: &SdkError<GetCallerIdentityError>) -> Finding {
    if let SdkError::ServiceError(refusal) = error {
        let code = refusal.err().code().unwrap_or("unknown error");
        let message = refusal.err().message().unwrap_or("no message");
        let found = format!("AWS does not accept the credentials ({code}: {message})");
        return Finding::problem("credentials", found).remedy(
            "on a laptop: renew them (aws sso login), or choose others (AWS_PROFILE); in a pod: check the trust \
             policy of the role, or the Pod Identity association, and restart the pod",
        );
    }
    let chain = DisplayErrorContext(error).to_string();
    let cause = chain.split(" (").next().unwrap_or(&chain);
    if cause.contains("credential") {
        return Finding::problem("credentials", format!("there are none ({cause})")).remedy(
            "in a pod: give the service account a role (an EKS Pod Identity association, or the annotation \
             eks.amazonaws.com/role-arn) and restart the pod; on a laptop: aws sso login, or AWS_PROFILE",
        );
    }
    Finding::warning("credentials", format!("STS cannot be reached ({cause})")).remedy(
        "Sluice needs STS only to take on a role, as IRSA does; in a VPC without internet add an interface \
         endpoint for com.amazonaws.<region>.sts",
    )
}

/// Our time against that of AWS. Its header tells whole seconds.
fn clock(of_aws: Option<Duration>, now: Duration) -> Finding {
    let Some(of_aws) = of_aws else {
        return Finding::unknown(
            "clock",
            "AWS did not answer, so nothing tells what time it is there",
        );
    };
    let skew = now.abs_diff(of_aws);
    let seconds = skew.as_secs();
    let direction = if now > of_aws { "ahead" } else { "behind" };
    let found = format!("{seconds} s {direction} of AWS");
    let remedy = "keep the node's clock by NTP (on EKS: chrony with the Amazon Time Sync Service, 169.254.169.123)";
    if skew > SKEW_MAX {
        Finding::problem(
            "clock",
            format!("{found}, which refuses requests beyond 300 s"),
        )
        .remedy(remedy)
    } else if skew > SKEW_NOTABLE {
        Finding::warning("clock", found).remedy(remedy)
    } else {
        Finding::ok("clock", "right")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Severity;

    #[test]
    fn a_clock_is_right_wrong_or_not_known() {
        let noon = Duration::from_hours(500_000);
        let seconds = Duration::from_secs;
        for (of_aws, severity) in [
            (Some(noon + seconds(29)), Severity::Ok),
            (Some(noon.saturating_sub(seconds(31))), Severity::Warning),
            (Some(noon + seconds(301)), Severity::Problem),
            (None, Severity::Unknown),
        ] {
            assert_eq!(clock(of_aws, noon).severity, severity, "{of_aws:?}");
        }
        assert!(
            clock(Some(noon + seconds(400)), noon)
                .found
                .starts_with("400 s behind of AWS")
        );
    }

    #[test]
    fn the_role_of_a_node_is_told_from_one_of_our_own() {
        let with =
            |names: &'static [&str]| Surroundings::from_environment(|name| names.contains(&name));
        let arn = "arn:aws:sts::1:assumed-role/r/s";
        let table: [(&[&str], Severity); 3] = [
            (&["KUBERNETES_SERVICE_HOST"], Severity::Warning),
            (
                &["KUBERNETES_SERVICE_HOST", "AWS_WEB_IDENTITY_TOKEN_FILE"],
                Severity::Ok,
            ),
            (&[], Severity::Ok),
        ];
        for (names, severity) in table {
            assert_eq!(known_as(arn, with(names)).severity, severity, "{names:?}");
        }
    }
}
