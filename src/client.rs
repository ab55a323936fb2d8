//! Asks a running server's port for people: one GET over plain HTTP. Knows nothing of what is asked.

use std::time::Duration;

use axum::http::{Request, Uri, header::HOST, uri::Scheme};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

/// A server answers from memory; one that takes longer is not well.
const DEADLINE: Duration = Duration::from_secs(10);

/// The largest list of the API is a few megabytes.
const BODY_BYTES_MAX: usize = 64 * 1_048_576;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The URL is none of ours.
    #[error("expected a URL such as http://127.0.0.1:8080, found {0:?}")]
    Url(String),
    /// Nobody is there.
    #[error("cannot connect to {address}")]
    Connect {
        /// Where.
        address: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// Somebody is there who does not speak HTTP.
    #[error("no answer from {address}: {cause}")]
    Answer {
        /// Who.
        address: String,
        /// What went wrong.
        cause: String,
    },
    /// Not in time.
    #[error("no answer from {address} for {} s", DEADLINE.as_secs())]
    Late {
        /// Who.
        address: String,
    },
}

/// The status and the text of the page at `path` of the server at `base`.
///
/// # Errors
/// When there is no answer.
pub async fn get(base: &str, path: &str) -> Result<(u16, String), AskError> {
    let (address, prefix) = address(base)?;
    let path = format!("{prefix}{path}");
    let answer = timeout(DEADLINE, get_from(&address, &path)).await;
    answer.unwrap_or(Err(AskError::Late { address }))
}

/// `host:port` of a URL, and what is before each path.
fn address(base: &str) -> Result<(String, String), AskError> {
    let wrong = || AskError::Url(base.to_owned());
    let uri: Uri = base.parse().map_err(|_| wrong())?;
    let host = uri.host().filter(|_| uri.scheme() == Some(&Scheme::HTTP));
    let host = host.ok_or_else(wrong)?;
    let port = uri.port_u16().unwrap_or(80);
    Ok((
        format!("{host}:{port}"),
        uri.path().trim_end_matches('/').to_owned(),
    ))
}

async fn get_from(address: &str, path: &str) -> Result<(u16, String), AskError> {
    let stream = TcpStream::connect(address).await;
    let stream = stream.map_err(|source| AskError::Connect {
        address: address.to_owned(),
        source,
    })?;
    let answered = async {
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let request = Request::get(path)
            .header(HOST, address)
            .body(Empty::<Bytes>::new())?;
        // The connection is driven by whoever waits for the answer, and ends with it.
        let answer = async {
            let response = sender.send_request(request).await?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), BODY_BYTES_MAX)
                .collect()
                .await?;
            Ok((status, String::from_utf8(body.to_bytes().into())?))
        };
        let driven = async {
            connection.await.ok();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            answer = answer => answer,
            () = driven => Err("the connection broke".into()),
        }
    };
    let answered: Result<_, Box<dyn std::error::Error + Send + Sync>> = answered.await;
    answered.map_err(|error| AskError::Answer {
        address: address.to_owned(),
        cause: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_its_url() {
        let named = |base: &str| address(base).ok();
        let expected = |address: &str, prefix: &str| Some((address.to_owned(), prefix.to_owned()));
        assert_eq!(
            named("http://127.0.0.1:8080"),
            expected("127.0.0.1:8080", "")
        );
        assert_eq!(named("http://sluice.keda"), expected("sluice.keda:80", ""));
        assert_eq!(named("http://[::1]:1/a/"), expected("[::1]:1", "/a"));
        for wrong in ["https://a", "a:1", "", "http://"] {
            assert_eq!(named(wrong), None, "{wrong}");
        }
    }
}
