//! One HTTP request and its answer, over TLS where the URL says so. It follows no redirect.

use std::io;

use axum::body::Bytes;
use axum::http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::handlers::HandlerError;

/// An answer that only decides and explains is not read beyond this.
const ANSWER_BYTES_MAX: usize = 65_536;
/// Characters of an answer that a log line shows.
const SHOWN_CHARACTERS_MAX: usize = 200;

/// Keeps connections open between requests.
#[derive(Debug, Clone)]
pub struct Web(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

/// What was answered, as far as it is read.
#[derive(Debug)]
pub struct Answered {
    pub status: StatusCode,
    /// Where a redirect points.
    pub location: Option<String>,
    pub text: String,
}

impl Web {
    /// Fails when the machine has no certificates to trust.
    pub fn new() -> io::Result<Self> {
        let builder = HttpsConnectorBuilder::new().with_native_roots()?;
        let connector = builder.https_or_http().enable_http1().build();
        Ok(Self(Client::builder(TokioExecutor::new()).build(connector)))
    }

    /// Trusts only the authorities of this PEM text, over HTTPS alone.
    pub fn trusting(authorities: &[u8]) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        for authority in CertificateDer::pem_slice_iter(authorities) {
            let authority = authority.map_err(io::Error::other)?;
            roots.add(authority).map_err(io::Error::other)?;
        }
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let tls = ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let builder = HttpsConnectorBuilder::new().with_tls_config(tls);
        let connector = builder.https_only().enable_http1().build();
        Ok(Self(Client::builder(TokioExecutor::new()).build(connector)))
    }

    /// The whole answer of at most `bytes_max` bytes; a longer one is an error.
    pub async fn read(
        &self,
        request: Request<Full<Bytes>>,
        bytes_max: usize,
    ) -> Result<(StatusCode, Bytes), HandlerError> {
        let answer = self.0.request(request).await?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), bytes_max).collect().await;
        Ok((status, body?.to_bytes()))
    }

    /// The answer as far as it explains something.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answered, HandlerError> {
        let answer = self.0.request(request).await?;
        let status = answer.status();
        let location = answer.headers().get("location");
        let location = location.and_then(|value| value.to_str().ok().map(ToOwned::to_owned));
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX);
        // The status has decided; a body that breaks off or is too long explains nothing.
        let text = body.collect().await.map_or_else(
            |_| String::new(),
            |body| String::from_utf8_lossy(&body.to_bytes()).into_owned(),
        );
        Ok(Answered {
            status,
            location,
            text,
        })
    }
}

impl Answered {
    /// Success, or why not.
    pub fn check(self, url: &str) -> Result<(), HandlerError> {
        let Self {
            status,
            location,
            text,
        } = self;
        if status.is_success() {
            return Ok(());
        }
        if let Some(location) = location.filter(|_| status.is_redirection()) {
            return Err(format!(
                "{url} answered {status} to {location:?}: redirects are not followed"
            )
            .into());
        }
        let shown: String = text.trim().chars().take(SHOWN_CHARACTERS_MAX).collect();
        Err(format!("{url} answered {status}: {shown:?}").into())
    }
}
