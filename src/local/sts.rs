//! STS as far as credential providers need it: everyone is who they say, and every role can be assumed.

use std::{collections::HashMap, time::Duration};

use axum::{body::Body, http::Response};
use thiserror::Error;

use super::{http, server::Shared, sqs::ACCOUNT};

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
/// STS gives credentials for one hour unless asked otherwise.
const DURATION_SECONDS_DEFAULT: u64 = 3_600;

#[derive(Debug, PartialEq, Eq, Error)]
enum StsError {
    #[error("Could not find operation {0} for version 2011-06-15")]
    InvalidAction(String),
    #[error("The parameter {0} is required.")]
    MissingParameter(&'static str),
    #[error("{0} is invalid")]
    InvalidArn(String),
    #[error(
        "1 validation error detected: Value '{0}' at 'durationSeconds' failed to satisfy constraint: Member must be between 900 and 43200"
    )]
    InvalidDuration(String),
}

impl StsError {
    fn code(&self) -> &'static str {
        match self {
            Self::InvalidAction(_) => "InvalidAction",
            Self::MissingParameter(_) => "MissingParameter",
            Self::InvalidArn(_) | Self::InvalidDuration(_) => "ValidationError",
        }
    }
}

type Parameters = HashMap<String, String>;

/// The operation that a request asks for; empty when it names none.
pub(crate) fn action(body: &[u8]) -> String {
    let mut parameters = form_urlencoded::parse(body);
    let action = parameters.find(|(name, _)| name == "Action");
    action
        .map(|(_, action)| action.into_owned())
        .unwrap_or_default()
}

/// An error that a fault asked for.
pub(crate) fn failed(status: u16, code: &str, message: &str) -> Response<Body> {
    http::response(status, "text/xml", error_xml(code, message))
}

/// Answers a request of the query protocol: a form in, XML out.
pub(crate) fn answer(shared: &Shared, body: &[u8]) -> Response<Body> {
    let parameters: Parameters = form_urlencoded::parse(body).into_owned().collect();
    let action = parameters
        .get("Action")
        .map(String::as_str)
        .unwrap_or_default();
    let result = match action {
        "GetCallerIdentity" => {
            shared.count("GetCallerIdentity");
            Ok(caller_identity())
        }
        "AssumeRole" => {
            shared.count("AssumeRole");
            assume_role(shared.now(), &parameters, "")
        }
        "AssumeRoleWithWebIdentity" => {
            shared.count("AssumeRoleWithWebIdentity");
            with_web_identity(shared.now(), &parameters)
        }
        other => Err(StsError::InvalidAction(other.to_owned())),
    };
    match result {
        Ok(result) => http::response(200, "text/xml", enclose(action, &result)),
        Err(error) => failed(400, error.code(), &error.to_string()),
    }
}

fn caller_identity() -> String {
    format!(
        "<Arn>arn:aws:iam::{ACCOUNT}:root</Arn><UserId>{ACCOUNT}</UserId><Account>{ACCOUNT}</Account>"
    )
}

fn with_web_identity(now: Duration, parameters: &Parameters) -> Result<String, StsError> {
    required(parameters, "WebIdentityToken")?;
    assume_role(
        now,
        parameters,
        "<SubjectFromWebIdentityToken>local</SubjectFromWebIdentityToken>",
    )
}

/// Credentials of the role; nobody checks them, but they run out as real ones do.
fn assume_role(now: Duration, parameters: &Parameters, more: &str) -> Result<String, StsError> {
    let role = required(parameters, "RoleArn")?;
    let session = escaped(required(parameters, "RoleSessionName")?);
    let name = role.split_once(":role/").map(|(_, name)| escaped(name));
    let name = name.ok_or_else(|| StsError::InvalidArn(role.to_owned()))?;
    let account = role
        .split(':')
        .nth(4)
        .map_or_else(|| ACCOUNT.to_owned(), escaped);
    let expiration = rfc3339(now.as_secs() + duration_seconds(parameters)?);
    Ok(format!(
        "<Credentials><AccessKeyId>ASIALOCAL00000000000</AccessKeyId>\
         <SecretAccessKey>local</SecretAccessKey><SessionToken>local</SessionToken>\
         <Expiration>{expiration}</Expiration></Credentials>\
         <AssumedRoleUser><AssumedRoleId>AROALOCAL:{session}</AssumedRoleId>\
         <Arn>arn:aws:sts::{account}:assumed-role/{name}/{session}</Arn></AssumedRoleUser>{more}"
    ))
}

fn duration_seconds(parameters: &Parameters) -> Result<u64, StsError> {
    let Some(given) = parameters.get("DurationSeconds") else {
        return Ok(DURATION_SECONDS_DEFAULT);
    };
    let seconds = given
        .parse()
        .ok()
        .filter(|seconds| (900..=43_200).contains(seconds));
    seconds.ok_or_else(|| StsError::InvalidDuration(given.clone()))
}

fn required<'a>(parameters: &'a Parameters, name: &'static str) -> Result<&'a str, StsError> {
    parameters
        .get(name)
        .map(String::as_str)
        .ok_or(StsError::MissingParameter(name))
}

fn enclose(action: &str, result: &str) -> String {
    format!(
        "<{action}Response xmlns=\"{NAMESPACE}\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></{action}Response>",
        http::REQUEST_ID
    )
}

fn error_xml(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type><Code>{}</Code>\
         <Message>{}</Message></Error><RequestId>{}</RequestId></ErrorResponse>",
        code,
        escaped(message),
        http::REQUEST_ID
    )
}

/// Text as XML holds it.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// A time as XML carries it, such as `2026-01-31T12:00:00Z`.
pub(crate) fn rfc3339(unix_seconds: u64) -> String {
    let (days, seconds) = (unix_seconds / 86_400, unix_seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The date a number of days after 1970-01-01. Years here begin in March, so that the leap day is last;
/// 719,468 days lie between the first of them and 1970.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months_since_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * months_since_march + 2) / 5 + 1;
    let month = if months_since_march < 10 {
        months_since_march + 3
    } else {
        months_since_march - 9
    };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_xml_carries_it() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (1_795_318_943, "2026-11-22T03:42:23Z"),
        ] {
            assert_eq!(rfc3339(seconds), text);
        }
    }

    #[test]
    fn a_role_needs_an_arn_and_a_session() {
        let parameters = Parameters::from([("RoleArn".to_owned(), "nonsense".to_owned())]);
        let missing = assume_role(Duration::ZERO, &parameters, "");
        assert_eq!(missing, Err(StsError::MissingParameter("RoleSessionName")));
    }
}
