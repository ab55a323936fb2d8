//! From the content of files to what a handshake needs, or why that cannot be.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustls::{
    RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
    server::{VerifierBuilderError, WebPkiClientVerifier, danger::ClientCertVerifier},
};

use super::{
    TlsSettings,
    certificate::{CertificateError, expires_at},
    client_names::NamedClients,
};
use crate::watched_files::{Content, FileError};

/// What KEDA speaks within TLS; its client refuses a server that does not say so.
const HTTP_2: &[u8] = b"h2";

/// Why TLS cannot be spoken with what the files hold.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file is not the PEM that is expected.
    #[error("{path:?} holds no {wanted} in PEM")]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wanted of it.
        wanted: &'static str,
        /// What was found.
        source: pem::Error,
    },
    /// A file has PEM, but no certificate.
    #[error("{path:?} holds no certificate")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A certificate cannot be read.
    #[error("cannot understand the certificate in {path:?}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        source: CertificateError,
    },
    /// The key cannot be used, or is that of another certificate.
    #[error("{key:?} is not the key of the certificate in {certificate:?}")]
    Pair {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// An authority cannot be used.
    #[error("cannot use the authority in {path:?}")]
    Authority {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// Clients cannot be verified with the authorities.
    #[error("cannot verify clients with {path:?}")]
    Verifier {
        /// The file.
        path: PathBuf,
        /// Why.
        source: VerifierBuilderError,
    },
    /// The task that reads files ended.
    #[error("the files were not read")]
    Interrupted,
}

/// What a handshake needs.
#[derive(Debug, Clone)]
pub(super) struct Credentials {
    pub(super) handshake: Arc<ServerConfig>,
    /// Since the Unix epoch.
    pub(super) expires_at: Duration,
}

impl TlsSettings {
    /// The files, in the order in which [`Credentials::from_files`] takes their contents.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        [&self.certificate, &self.key]
            .into_iter()
            .chain(&self.client_ca)
            .cloned()
            .collect()
    }
}

impl Credentials {
    /// Credentials whose parts fit together.
    pub(super) fn from_files(
        settings: &TlsSettings,
        contents: &[Content],
    ) -> Result<Self, TlsError> {
        let content = |index: usize| contents.get(index).map_or(&[][..], |content| content);
        let chain = certificates(&settings.certificate, content(0))?;
        let expires_at = expires_at(&chain).map_err(|source| TlsError::Certificate {
            path: settings.certificate.clone(),
            source,
        })?;
        let key = PrivateKeyDer::from_pem_slice(content(1)).map_err(|source| TlsError::Pem {
            path: settings.key.clone(),
            wanted: "private key",
            source,
        })?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let versions = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|source| settings.pair(source))?;
        let clients = match &settings.client_ca {
            None => versions.with_no_client_auth(),
            Some(path) => {
                let authorities = certificates(path, content(2))?;
                let verifier = verifier(path, authorities, &provider)?;
                versions.with_client_cert_verifier(settings.named(verifier))
            }
        };
        let mut handshake = clients
            .with_single_cert(chain, key)
            .map_err(|source| settings.pair(source))?;
        handshake.alpn_protocols = vec![HTTP_2.to_vec()];
        Ok(Self {
            handshake: Arc::new(handshake),
            expires_at,
        })
    }
}

impl TlsSettings {
    fn pair(&self, source: rustls::Error) -> TlsError {
        TlsError::Pair {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
            source,
        }
    }

    fn named(&self, authority: Arc<dyn ClientCertVerifier>) -> Arc<dyn ClientCertVerifier> {
        if self.client_names.is_empty() {
            return authority;
        }
        Arc::new(NamedClients {
            authority,
            names: self.client_names.clone(),
        })
    }
}

fn certificates(path: &Path, content: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(content).collect();
    let found = found.map_err(|source| TlsError::Pem {
        path: path.to_owned(),
        wanted: "certificate",
        source,
    })?;
    if found.is_empty() {
        return Err(TlsError::Empty {
            path: path.to_owned(),
        });
    }
    Ok(found)
}

/// Lets in whom one of these authorities vouches for, and nobody without a certificate.
fn verifier(
    path: &Path,
    authorities: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority).map_err(|source| TlsError::Authority {
            path: path.to_owned(),
            source,
        })?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|source| TlsError::Verifier {
            path: path.to_owned(),
            source,
        })
}
