//! TLS as KEDA speaks it: a certificate, and client certificates of an authority where they are asked
//! for, taken anew from their files while the scaler runs. The only module that names `rustls`. Knows
//! nothing of what is said over a connection.

mod certificate;
mod client_names;
mod credentials;
mod feed;

use std::path::PathBuf;

pub use {
    certificate::{CertificateError, validity},
    credentials::TlsError,
    feed::TlsFeed,
};

/// Where the certificate and its key are, and who may connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// PEM: the certificate of the server, and after it those between it and its authority.
    pub certificate: PathBuf,
    /// PEM: its private key.
    pub key: PathBuf,
    /// PEM: the authorities whose clients may connect; None lets everybody connect.
    pub client_ca: Option<PathBuf>,
    /// The names of the clients that may connect; empty for all that an authority vouches for.
    pub client_names: Vec<String>,
}
