//! Who may see the page and send: a user with a password (HTTP Basic), and no other site in the user's name.

use std::fmt;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use subtle::ConstantTimeEq as _;

const CHALLENGE: &str = r#"Basic realm="sluice-worker", charset="UTF-8""#;

/// Who is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authentication {
    /// Everybody who can reach the page.
    None,
    Basic {
        user: String,
        password: Password,
    },
}

/// Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(hidden)")
    }
}

/// Lets a request through, or answers 401 or 403.
pub async fn check(
    State(authentication): State<Authentication>,
    request: Request,
    next: Next,
) -> Response {
    if !authentication.knows(request.headers()) {
        let challenge = [(WWW_AUTHENTICATE, CHALLENGE)];
        return (StatusCode::UNAUTHORIZED, challenge, "user and password\n").into_response();
    }
    let changes = request.method() != Method::GET && request.method() != Method::HEAD;
    if changes && !is_same_origin(request.headers()) {
        let told = "another site sent this request\n";
        return (StatusCode::FORBIDDEN, told).into_response();
    }
    next.run(request).await
}

impl Authentication {
    fn knows(&self, headers: &HeaderMap) -> bool {
        match self {
            Self::None => true,
            Self::Basic { user, password } => {
                let expected = format!("{user}:{}", password.0);
                let given = credentials(headers).unwrap_or_default();
                expected.as_bytes().ct_eq(&given).into()
            }
        }
    }
}

fn credentials(headers: &HeaderMap) -> Option<Vec<u8>> {
    let authorization = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = authorization.split_once(' ')?;
    let is_basic = scheme.eq_ignore_ascii_case("basic");
    is_basic
        .then(|| BASE64_STANDARD.decode(encoded.trim()).ok())
        .flatten()
}

/// A browser names the site that a request comes from, and sends the user's password whichever that is. Programs name
/// none.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let text = |value: Option<&axum::http::HeaderValue>| value?.to_str().ok().map(str::to_owned);
    let authority = text(Some(origin))
        .and_then(|origin| origin.parse::<Uri>().ok())
        .and_then(|origin| origin.authority().map(ToString::to_string));
    authority.is_some() && authority == text(headers.get(HOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let name: axum::http::HeaderName = name.parse().unwrap();
            (name, value.parse().unwrap())
        });
        pairs.collect()
    }

    #[test]
    fn only_the_right_user_with_the_right_password_is_known() {
        let authentication = Authentication::Basic {
            user: "sluice".into(),
            password: Password::new("correct horse"),
        };
        let table = [
            ("sluice:correct horse", true),
            ("sluice:correct hors", false),
            ("other:correct horse", false),
            ("", false),
        ];
        for (given, expected) in table {
            let value = format!("Basic {}", BASE64_STANDARD.encode(given));
            let known = authentication.knows(&headers(&[("authorization", &value)]));
            assert_eq!(known, expected, "{given}");
        }
        assert!(!authentication.knows(&headers(&[("authorization", "Basic ???")])));
        assert!(!authentication.knows(&headers(&[("authorization", "Bearer c2x1aWNl")])));
        assert!(!authentication.knows(&HeaderMap::new()));
        assert!(!format!("{authentication:?}").contains("horse"));
    }

    #[test]
    fn another_site_is_told_from_the_page_itself() {
        let table = [
            (&[("host", "send.example")][..], true),
            (
                &[("host", "send.example"), ("origin", "https://send.example")],
                true,
            ),
            (
                &[("host", "127.0.0.1:80"), ("origin", "http://127.0.0.1:80")],
                true,
            ),
            (
                &[("host", "send.example"), ("origin", "https://evil.example")],
                false,
            ),
            (&[("host", "send.example"), ("origin", "null")], false),
        ];
        for (given, expected) in table {
            assert_eq!(is_same_origin(&headers(given)), expected, "{given:?}");
        }
    }
}
