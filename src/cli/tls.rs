//! How the gRPC port is secured, as it is typed.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use crate::tls::TlsSettings;

/// With whose certificate, and for which clients.
#[derive(Debug, Clone, Args)]
pub struct TlsArgs {
    /// PEM file with the certificate of the gRPC port, then those between it and its authority; the
    /// file is read again when it changes.
    #[arg(
        long,
        env = "SLUICE_TLS_CERTIFICATE",
        value_name = "FILE",
        requires = "tls_key"
    )]
    pub tls_certificate: Option<PathBuf>,
    /// PEM file with the key of the certificate; read again as well.
    #[arg(
        long,
        env = "SLUICE_TLS_KEY",
        value_name = "FILE",
        requires = "tls_certificate"
    )]
    pub tls_key: Option<PathBuf>,
    /// PEM file with the authorities of clients; read again as well. Without a certificate of one of
    /// them nobody may connect.
    #[arg(
        long,
        env = "SLUICE_TLS_CLIENT_CA",
        value_name = "FILE",
        requires = "tls_certificate"
    )]
    pub tls_client_ca: Option<PathBuf>,
    /// Of these clients only those with one of these names (DNS name, URI or common name, with commas
    /// between) may connect.
    #[arg(
        long,
        env = "SLUICE_TLS_CLIENT_NAMES",
        value_name = "NAMES",
        value_delimiter = ',',
        requires = "tls_client_ca"
    )]
    pub tls_client_names: Vec<String>,
    /// Serve gRPC without TLS on an address that other machines can reach.
    #[arg(
        long,
        env = "SLUICE_GRPC_PLAINTEXT",
        conflicts_with = "tls_certificate"
    )]
    pub grpc_plaintext: bool,
}

/// Metadata may hold keys for AWS, and whoever can call may ask for a queue.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "--grpc-listen {address} can be reached by other machines, and there is no TLS: give \
     --tls-certificate and --tls-key, or say --grpc-plaintext where a network policy lets nobody but \
     KEDA in"
)]
pub struct UnsecuredAddress {
    address: SocketAddr,
}

impl TlsArgs {
    /// How to speak TLS at `address`; None for plaintext, which must be asked for where others can
    /// listen.
    ///
    /// # Errors
    /// When the address can be reached by other machines and nothing is said of TLS.
    pub fn settings(&self, address: SocketAddr) -> Result<Option<TlsSettings>, UnsecuredAddress> {
        let (Some(certificate), Some(key)) = (&self.tls_certificate, &self.tls_key) else {
            let is_allowed = self.grpc_plaintext || address.ip().is_loopback();
            return if is_allowed {
                Ok(None)
            } else {
                Err(UnsecuredAddress { address })
            };
        };
        Ok(Some(TlsSettings {
            certificate: certificate.clone(),
            key: key.clone(),
            client_ca: self.tls_client_ca.clone(),
            client_names: self.tls_client_names.clone(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::given_serve;

    fn given(arguments: &[&str]) -> Result<Option<TlsSettings>, String> {
        let args = given_serve(arguments)?;
        let settings = args.tls.settings(args.grpc_listen);
        settings.map_err(|error| error.to_string())
    }

    #[test]
    fn plaintext_must_be_asked_for_where_others_can_reach_it() {
        assert_eq!(given(&[]), Ok(None));
        let everywhere = ["--grpc-listen", "0.0.0.0:9090"];
        let error = given(&everywhere).unwrap_err();
        assert!(error.contains("say --grpc-plaintext"), "{error}");
        let asked = [&everywhere[..], &["--grpc-plaintext"]].concat();
        assert_eq!(given(&asked), Ok(None));
    }

    #[test]
    fn a_certificate_its_key_and_who_may_connect_go_together() {
        let pair = ["--tls-certificate", "tls.crt", "--tls-key", "tls.key"];
        let settings = given(&pair).unwrap().expect("TLS");
        assert_eq!(settings.certificate, PathBuf::from("tls.crt"));
        let named = [
            &pair[..],
            &["--tls-client-ca", "ca.crt", "--tls-client-names", "keda,b"],
        ]
        .concat();
        assert_eq!(given(&named).unwrap().unwrap().client_names, ["keda", "b"]);
        for wrong in [
            &pair[..2],
            &pair[2..],
            &["--tls-client-ca", "ca.crt"],
            &[&pair[..], &["--grpc-plaintext"]].concat(),
            &[&pair[..], &["--tls-client-names", "keda"]].concat(),
        ] {
            given(wrong).expect_err("half of it");
        }
    }
}
