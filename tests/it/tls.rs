//! TLS from outside: who is served, with which certificate, and what happens when its files change.

use std::{
    fs, io,
    net::SocketAddr,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer};
use sluice::{
    grpc::proto::external_scaler_client::ExternalScalerClient,
    tls::{TlsFeed, TlsSettings},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::transport::{Channel, Endpoint};

use crate::support::*;

const SERVER: &str = "sluice.keda.svc";
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// Signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

/// A certificate and its key.
struct Pair {
    certificate: CertificateDer<'static>,
    certificate_pem: String,
    key: KeyPair,
}

fn given_authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(DnType::CommonName, "authority");
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Authority {
        certificate: certificate.der().clone(),
        pem: certificate.pem(),
        issuer: Issuer::new(params, key),
    }
}

impl Authority {
    fn signs(&self, name: &str) -> Pair {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2040, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Pair {
            certificate: certificate.der().clone(),
            certificate_pem: certificate.pem(),
            key,
        }
    }
}

/// A folder as Kubernetes mounts a Secret: the files are links through a link that is swapped.
struct Mount(PathBuf);

impl Mount {
    fn given() -> Self {
        static MOUNTS: AtomicU32 = AtomicU32::new(0);
        let number = MOUNTS.fetch_add(1, Ordering::Relaxed);
        let name = format!("sluice-tls-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        for file in ["tls.crt", "tls.key", "ca.crt"] {
            symlink(Path::new("..data").join(file), folder.join(file)).unwrap();
        }
        Self(folder)
    }

    /// Swaps the link to a folder with these files.
    fn swap(&self, version: &str, files: [&str; 3]) {
        let folder = self.0.join(version);
        fs::create_dir_all(&folder).unwrap();
        for (name, content) in ["tls.crt", "tls.key", "ca.crt"].iter().zip(files) {
            fs::write(folder.join(name), content).unwrap();
        }
        symlink(version, self.0.join("..data_tmp")).unwrap();
        fs::rename(self.0.join("..data_tmp"), self.0.join("..data")).unwrap();
    }

    fn settings(&self) -> TlsSettings {
        TlsSettings {
            certificate: self.0.join("tls.crt"),
            key: self.0.join("tls.key"),
            client_ca: None,
            client_names: Vec::new(),
        }
    }

    fn mutual(&self, client_names: &[&str]) -> TlsSettings {
        TlsSettings {
            client_ca: Some(self.0.join("ca.crt")),
            client_names: client_names.iter().map(ToString::to_string).collect(),
            ..self.settings()
        }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn handshake(
    address: SocketAddr,
    trusted: &Authority,
    client: Option<&Pair>,
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match client {
        None => config.with_no_client_auth(),
        Some(pair) => {
            let key = pair.key.serialize_der().try_into().unwrap();
            let chain = vec![pair.certificate.clone()];
            config.with_client_auth_cert(chain, key).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(address).await?;
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(SERVER.try_into().unwrap(), stream).await
}

/// KEDA's client over TLS.
async fn asks(
    address: SocketAddr,
    trusted: &Authority,
    client: Option<&Pair>,
) -> Result<bool, String> {
    let stream = handshake(address, trusted, client).await;
    let mut stream = Some(stream.map_err(|error| error.to_string())?);
    let connector = tower::service_fn(move |_| {
        let stream = stream.take().map(TokioIo::new);
        async move { stream.ok_or(io::Error::from(io::ErrorKind::NotConnected)) }
    });
    let endpoint = Endpoint::from_static("http://sluice.keda.svc");
    let channel: Result<Channel, _> = endpoint.connect_with_connector(connector).await;
    let channel = channel.map_err(|error| format!("{error:?}"))?;
    let request = reference(&pairs(&[
        ("queueURL", "orders"),
        ("awsRegion", "eu-west-1"),
    ]));
    let answer = ExternalScalerClient::new(channel)
        .get_metric_spec(request)
        .await;
    let answer = answer.map_err(|error| format!("{error:?}"))?;
    Ok(!answer.into_inner().metric_specs.is_empty())
}

/// The certificate that the server shows.
async fn shown(address: SocketAddr, trusted: &Authority) -> Option<CertificateDer<'static>> {
    let stream = handshake(address, trusted, None).await.ok()?;
    let (_, session) = stream.get_ref();
    Some(session.peer_certificates()?.first()?.clone().into_owned())
}

#[tokio::test]
async fn a_server_with_a_certificate_serves_everybody_who_trusts_it() {
    let (authority, mount) = (given_authority(), Mount::given());
    let server = authority.signs(SERVER);
    mount.swap(
        "1",
        [&server.certificate_pem, &server.key.serialize_pem(), ""],
    );
    let feed = TlsFeed::load(mount.settings()).unwrap();
    let (grpc, http) = given_secured_scaler(feed).await;
    assert_eq!(asks(grpc, &authority, None).await, Ok(true));
    asks(grpc, &given_authority(), None)
        .await
        .expect_err("another authority");
    let mut plaintext = ExternalScalerClient::new(connect(grpc).await);
    let request = reference(&pairs(&[
        ("queueURL", "orders"),
        ("awsRegion", "eu-west-1"),
    ]));
    let answer = plaintext.get_metric_spec(request).await;
    answer.expect_err("no answer without TLS");
    eventually(async || {
        let page = http_get(http, "/metrics").await.unwrap().1;
        page.contains(
            "sluice_tls_certificate_expiry_timestamp_seconds{certificate=\"server\"} 2208988800",
        )
    })
    .await;
}

#[tokio::test]
async fn only_clients_of_the_authority_are_served_and_of_these_only_the_named_ones() {
    let (authority, other, mount) = (given_authority(), given_authority(), Mount::given());
    let server = authority.signs(SERVER);
    let files = [
        &server.certificate_pem,
        &server.key.serialize_pem(),
        &authority.pem,
    ];
    mount.swap("1", files.map(String::as_str));
    let (keda, shop) = (authority.signs("keda-operator"), authority.signs("shop"));

    let anybody = TlsFeed::load(mount.mutual(&[])).unwrap();
    let (grpc, _) = given_secured_scaler(anybody).await;
    assert_eq!(asks(grpc, &authority, Some(&keda)).await, Ok(true));
    assert_eq!(asks(grpc, &authority, Some(&shop)).await, Ok(true));
    let error = asks(grpc, &authority, None).await.unwrap_err();
    assert!(error.contains("CertificateRequired"), "{error}");
    let stranger = other.signs("keda-operator");
    let error = asks(grpc, &authority, Some(&stranger)).await.unwrap_err();
    assert!(
        error.contains("UnknownCA") || error.contains("DecryptError"),
        "{error}"
    );

    let named = TlsFeed::load(mount.mutual(&["keda-operator"])).unwrap();
    let (grpc, http) = given_secured_scaler(named).await;
    assert_eq!(asks(grpc, &authority, Some(&keda)).await, Ok(true));
    let error = asks(grpc, &authority, Some(&shop)).await.unwrap_err();
    assert!(error.contains("AccessDenied"), "{error}");
    let page = http_get(http, "/metrics").await.unwrap().1;
    let refused = "sluice_connections_refused_total{reason=\"TLS handshake\"} 1";
    assert!(page.contains(refused), "{page}");
}

#[tokio::test]
async fn changed_files_are_used_without_a_restart_and_bad_ones_are_not() {
    let (authority, mount) = (given_authority(), Mount::given());
    let (first, second) = (authority.signs(SERVER), authority.signs(SERVER));
    let (first_key, second_key) = (first.key.serialize_pem(), second.key.serialize_pem());
    mount.swap("1", [&first.certificate_pem, &first_key, ""]);
    let feed = TlsFeed::load(mount.settings()).unwrap();
    let (grpc, http) = given_secured_scaler(feed.looking_each(LOOK_INTERVAL)).await;
    assert_eq!(shown(grpc, &authority).await, Some(first.certificate));

    mount.swap("2", [&second.certificate_pem, &second_key, ""]);
    eventually(async || shown(grpc, &authority).await.as_ref() == Some(&second.certificate)).await;

    let loads = async |outcome: &str| {
        let page = http_get(http, "/metrics").await.unwrap().1;
        page.contains(&format!(
            "sluice_tls_certificate_loads_total{{outcome=\"{outcome}\"}} 1"
        ))
    };
    // The certificate of one and the key of the other.
    mount.swap("3", [&second.certificate_pem, &first_key, ""]);
    eventually(async || loads("Error").await).await;
    assert_eq!(shown(grpc, &authority).await, Some(second.certificate));
    assert!(loads("Ok").await);
}

#[tokio::test]
async fn an_authority_that_is_replaced_lets_nobody_in_any_more() {
    let (authority, next, mount) = (given_authority(), given_authority(), Mount::given());
    let server = authority.signs(SERVER);
    let key = server.key.serialize_pem();
    mount.swap("1", [&server.certificate_pem, &key, &authority.pem]);
    let feed = TlsFeed::load(mount.mutual(&[])).unwrap();
    let (grpc, _) = given_secured_scaler(feed.looking_each(LOOK_INTERVAL)).await;
    let (before, after) = (authority.signs("keda"), next.signs("keda"));
    assert_eq!(asks(grpc, &authority, Some(&before)).await, Ok(true));
    mount.swap("2", [&server.certificate_pem, &key, &next.pem]);
    eventually(async || asks(grpc, &authority, Some(&after)).await == Ok(true)).await;
    asks(grpc, &authority, Some(&before))
        .await
        .expect_err("the authority is gone");
}

#[test]
fn files_that_do_not_fit_together_are_said_at_the_start() {
    let (authority, mount) = (given_authority(), Mount::given());
    let (one, other) = (authority.signs(SERVER), authority.signs(SERVER));
    let said = |files: [&str; 3], version: &str| {
        mount.swap(version, files);
        TlsFeed::load(mount.mutual(&[])).unwrap_err().to_string()
    };
    let key = one.key.serialize_pem();
    let cases = [
        (["", &key, &authority.pem], "holds no certificate"),
        (
            [&one.certificate_pem, "", &authority.pem],
            "holds no private key in PEM",
        ),
        (
            [
                &one.certificate_pem,
                &other.key.serialize_pem(),
                &authority.pem,
            ],
            "is not the key of the certificate",
        ),
        (
            [&one.certificate_pem, &key, ""],
            "ca.crt\" holds no certificate",
        ),
    ];
    for (version, (files, expected)) in cases.into_iter().enumerate() {
        let text = said(files, &version.to_string());
        assert!(text.contains(expected), "{text}");
    }
    let missing = TlsSettings {
        key: "/nowhere/tls.key".into(),
        ..mount.settings()
    };
    let text = TlsFeed::load(missing).unwrap_err().to_string();
    assert_eq!(text, "cannot read \"/nowhere/tls.key\"");
}
