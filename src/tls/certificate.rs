//! What is read from a certificate beside what `rustls` checks: when it expires, and its names.

use std::time::Duration;

use rustls::pki_types::{CertificateDer, pem::PemObject};
use x509_cert::{
    Certificate,
    der::{self, Decode},
    ext::pkix::{SubjectAltName, name::GeneralName},
};

/// A certificate that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("not a certificate")]
pub struct CertificateError(#[from] der::Error);

/// When the first certificate of a chain expires, since the Unix epoch: from then on it is worth nothing.
pub(super) fn expires_at(chain: &[CertificateDer<'_>]) -> Result<Duration, CertificateError> {
    let mut first = Duration::MAX;
    for certificate in chain {
        let certificate = Certificate::from_der(certificate)?;
        let validity = certificate.tbs_certificate().validity();
        first = first.min(validity.not_after.to_unix_duration());
    }
    Ok(first)
}

/// From when until when each certificate in a text of PEM is good, since the Unix epoch.
///
/// # Errors
/// When one of them is no certificate.
pub fn validity(pem: &[u8]) -> Result<Vec<(Duration, Duration)>, CertificateError> {
    let parts = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok);
    let each = parts.map(|part| {
        let certificate = Certificate::from_der(&part)?;
        let validity = certificate.tbs_certificate().validity();
        Ok((
            validity.not_before.to_unix_duration(),
            validity.not_after.to_unix_duration(),
        ))
    });
    each.collect()
}

/// The names that a certificate speaks for: DNS names and URIs, such as a SPIFFE id, of its subject's
/// alternative names, and the common name.
pub(super) fn names(certificate: &CertificateDer<'_>) -> Result<Vec<String>, CertificateError> {
    let certificate = Certificate::from_der(certificate)?;
    let subject = certificate.tbs_certificate();
    let common = subject.subject().common_name()?;
    let mut names: Vec<String> = common.iter().map(|name| name.value().into()).collect();
    if let Some((_, alternatives)) = subject.get_extension::<SubjectAltName>()? {
        for name in &alternatives.0 {
            match name {
                GeneralName::DnsName(name) => names.push(name.to_string()),
                GeneralName::UniformResourceIdentifier(uri) => names.push(uri.to_string()),
                _ => {}
            }
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, SanType, string::Ia5String};

    use super::*;

    #[test]
    fn names_and_expiry_are_read() {
        let mut params = CertificateParams::new(vec!["keda.keda.svc".to_owned()]).unwrap();
        let uri = "spiffe://cluster.local/ns/keda/sa/keda-operator";
        let name = SanType::URI(Ia5String::try_from(uri).unwrap());
        params.subject_alt_names.push(name);
        params
            .distinguished_name
            .push(DnType::CommonName, "keda-operator");
        params.not_after = rcgen::date_time_ymd(2040, 1, 1);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let found = names(certificate.der()).unwrap();
        assert_eq!(found, ["keda-operator", "keda.keda.svc", uri]);
        let expiry = expires_at(&[certificate.der().clone()]).unwrap();
        assert_eq!(expiry.as_secs(), 2_208_988_800);
    }

    #[test]
    fn what_is_no_certificate_is_an_error() {
        let error = names(&CertificateDer::from(vec![1, 2, 3])).unwrap_err();
        assert_eq!(error.to_string(), "not a certificate");
    }
}
