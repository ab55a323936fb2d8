//! Signs requests to S3 with the credentials of the AWS configuration. It knows no bucket.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use axum::body::Bytes;
use axum::http::Request;
use tokio::sync::Mutex;

use crate::date::now;
use crate::handlers::HandlerError;

/// Credentials are asked for again this long before they expire, so that none expires on its way.
const BEFORE_EXPIRY: Duration = Duration::from_mins(5);

/// Keeps credentials for as long as they hold.
#[derive(Debug)]
pub struct Signer {
    provider: SharedCredentialsProvider,
    region: String,
    credentials: Mutex<Option<Credentials>>,
}

impl Signer {
    pub fn new(aws: &SdkConfig) -> Result<Self, HandlerError> {
        let region = aws
            .region()
            .ok_or("S3 needs a region: set AWS_REGION")?
            .to_string();
        let provider = aws
            .credentials_provider()
            .ok_or("S3 needs credentials of AWS")?;
        Ok(Self {
            provider,
            region,
            credentials: Mutex::default(),
        })
    }

    pub fn region(&self) -> &str {
        &self.region
    }

    /// Adds the headers that prove who asks.
    pub async fn sign<B>(
        &self,
        request: &mut Request<B>,
        body: &Bytes,
    ) -> Result<(), HandlerError> {
        let identity = self.credentials().await?.into();
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("s3")
            .time(UNIX_EPOCH + now())
            .settings(settings)
            .build()?
            .into();
        let uri = request.uri().to_string();
        let headers = request.headers().iter();
        let headers =
            headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let body = SignableBody::Bytes(body);
        let signable = SignableRequest::new(request.method().as_str(), uri, headers, body)?;
        let (instructions, _) = sign(signable, &parameters)?.into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }

    async fn credentials(&self) -> Result<Credentials, HandlerError> {
        let mut kept = self.credentials.lock().await;
        if let Some(credentials) = kept.as_ref().filter(|kept| holds(kept.expiry())) {
            return Ok(credentials.clone());
        }
        let fresh = self.provider.provide_credentials().await?;
        *kept = Some(fresh.clone());
        Ok(fresh)
    }
}

fn holds(expiry: Option<SystemTime>) -> bool {
    expiry.is_none_or(|expiry| expiry > UNIX_EPOCH + now() + BEFORE_EXPIRY)
}
