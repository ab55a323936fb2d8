//! S3 as far as a worker's handlers need it: buckets by path, objects in memory, put, get, head and list.

mod encoding;

use std::collections::BTreeMap;

use axum::{
    body::Body,
    http::{HeaderValue, Method, Response, header},
};
use md5::{Digest, Md5};
use thiserror::Error;

use self::encoding::{decoded, unchunked};
use super::{
    http::{self, Request},
    server::Shared,
    sqs::hex,
    sts::{escaped, rfc3339},
};

/// All objects together may be this large; it is for development, and they are in memory.
const OBJECT_BYTES_MAX: usize = 256 * 1_048_576;
/// S3 lists this many keys at once.
const KEYS_MAX: usize = 1_000;
const XML: &str = "application/xml";

#[derive(Debug, PartialEq, Eq, Error)]
enum S3Error {
    #[error("The specified bucket does not exist")]
    NoSuchBucket,
    #[error("The specified key does not exist.")]
    NoSuchKey,
    #[error("The body is not in the aws-chunked encoding that its header promises.")]
    IncompleteBody,
    #[error("The local server holds at most {OBJECT_BYTES_MAX} bytes of objects.")]
    EntityTooLarge,
    #[error("The local server knows buckets, and putting, getting and listing objects only.")]
    MethodNotAllowed,
}

impl S3Error {
    fn shape(&self) -> (u16, &'static str) {
        match self {
            Self::NoSuchBucket => (404, "NoSuchBucket"),
            Self::NoSuchKey => (404, "NoSuchKey"),
            Self::IncompleteBody => (400, "IncompleteBody"),
            Self::EntityTooLarge => (400, "EntityTooLarge"),
            Self::MethodNotAllowed => (405, "MethodNotAllowed"),
        }
    }
}

/// The objects of each bucket by key.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    buckets: BTreeMap<String, BTreeMap<String, Object>>,
    bytes: usize,
}

#[derive(Debug, Clone)]
struct Object {
    body: Vec<u8>,
    content_type: String,
    etag: String,
    modified_seconds: u64,
}

/// Answers a request whose path names a bucket and perhaps a key.
pub(crate) fn answer(shared: &Shared, request: &Request<'_>) -> Response<Body> {
    let path = request.uri.path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let key = decoded(key);
    let mut buckets = shared.buckets();
    let result = match (request.method, key.as_str()) {
        (&Method::PUT, "") => buckets.create(bucket),
        (&Method::HEAD, "") => buckets
            .find(bucket)
            .map(|_| http::response(200, XML, Body::empty())),
        (&Method::GET, "") => buckets.list(bucket, request.uri.query().unwrap_or_default()),
        (&Method::PUT, key) => buckets.put(
            bucket,
            key,
            &Upload {
                request,
                now_seconds: shared.now().as_secs(),
            },
        ),
        (&Method::GET, key) => buckets
            .get(bucket, key)
            .map(|object| object.show(object.body.clone())),
        (&Method::HEAD, key) => buckets
            .get(bucket, key)
            .map(|object| object.show(Vec::new())),
        (&Method::DELETE, key) if !key.is_empty() => buckets.delete(bucket, key),
        _ => Err(S3Error::MethodNotAllowed),
    };
    result.unwrap_or_else(|error| failed(&error, request.method))
}

struct Upload<'a> {
    request: &'a Request<'a>,
    now_seconds: u64,
}

impl Buckets {
    fn create(&mut self, bucket: &str) -> Result<Response<Body>, S3Error> {
        if bucket.is_empty() {
            return Err(S3Error::MethodNotAllowed);
        }
        self.buckets.entry(bucket.to_owned()).or_default();
        let mut response = http::response(200, XML, Body::empty());
        if let Ok(location) = HeaderValue::try_from(format!("/{bucket}")) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        Ok(response)
    }

    fn find(&self, bucket: &str) -> Result<&BTreeMap<String, Object>, S3Error> {
        self.buckets.get(bucket).ok_or(S3Error::NoSuchBucket)
    }

    fn get(&self, bucket: &str, key: &str) -> Result<&Object, S3Error> {
        self.find(bucket)?.get(key).ok_or(S3Error::NoSuchKey)
    }

    fn put(
        &mut self,
        bucket: &str,
        key: &str,
        upload: &Upload<'_>,
    ) -> Result<Response<Body>, S3Error> {
        let object = upload.object()?;
        let objects = self.buckets.get_mut(bucket).ok_or(S3Error::NoSuchBucket)?;
        let replaced = objects.get(key).map_or(0, |object| object.body.len());
        let bytes = self.bytes - replaced + object.body.len();
        if bytes > OBJECT_BYTES_MAX {
            return Err(S3Error::EntityTooLarge);
        }
        self.bytes = bytes;
        let response = with_etag(http::response(200, XML, Body::empty()), &object.etag);
        objects.insert(key.to_owned(), object);
        Ok(response)
    }

    fn delete(&mut self, bucket: &str, key: &str) -> Result<Response<Body>, S3Error> {
        let objects = self.buckets.get_mut(bucket).ok_or(S3Error::NoSuchBucket)?;
        self.bytes -= objects.remove(key).map_or(0, |object| object.body.len());
        Ok(http::response(204, XML, Body::empty()))
    }

    /// `ListObjectsV2`; the token that continues a list is the last key that was listed.
    fn list(&self, bucket: &str, query: &str) -> Result<Response<Body>, S3Error> {
        let parameters: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let parameter = |name: &str| parameters.get(name).map(String::as_str).unwrap_or_default();
        let (prefix, after) = (
            parameter("prefix"),
            parameter("continuation-token").max(parameter("start-after")),
        );
        let limit = parameter("max-keys")
            .parse()
            .unwrap_or(KEYS_MAX)
            .min(KEYS_MAX);
        let objects = self.find(bucket)?;
        let mut left = objects
            .iter()
            .filter(|(key, _)| key.starts_with(prefix) && key.as_str() > after);
        let page: Vec<_> = left.by_ref().take(limit).collect();
        let contents: String = page.iter().map(|(key, object)| object.entry(key)).collect();
        let is_truncated = left.next().is_some();
        let next = page
            .last()
            .filter(|_| is_truncated)
            .map_or_else(String::new, |(key, _)| {
                format!(
                    "<NextContinuationToken>{}</NextContinuationToken>",
                    escaped(key)
                )
            });
        let body = format!(
            "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>{}</Name>\
             <Prefix>{}</Prefix><KeyCount>{}</KeyCount><MaxKeys>{limit}</MaxKeys>\
             <IsTruncated>{is_truncated}</IsTruncated>{contents}{next}</ListBucketResult>",
            escaped(bucket),
            escaped(prefix),
            page.len()
        );
        Ok(http::response(200, XML, body))
    }
}

impl Upload<'_> {
    fn object(&self) -> Result<Object, S3Error> {
        let is_chunked = self
            .request
            .header(header::CONTENT_ENCODING)
            .contains("aws-chunked");
        let body = self.request.body;
        let body = if is_chunked {
            unchunked(body).ok_or(S3Error::IncompleteBody)?
        } else {
            body.to_vec()
        };
        let content_type = match self.request.header(header::CONTENT_TYPE) {
            "" => "binary/octet-stream",
            given => given,
        };
        Ok(Object {
            etag: format!("\"{}\"", hex(&Md5::digest(&body))),
            body,
            content_type: content_type.to_owned(),
            modified_seconds: self.now_seconds,
        })
    }
}

impl Object {
    fn show(&self, body: Vec<u8>) -> Response<Body> {
        let mut response = with_etag(http::response(200, XML, body), &self.etag);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        if let Ok(content_type) = HeaderValue::try_from(&self.content_type) {
            headers.insert(header::CONTENT_TYPE, content_type);
        }
        response
    }

    fn entry(&self, key: &str) -> String {
        format!(
            "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>{}</ETag><Size>{}</Size>\
             <StorageClass>STANDARD</StorageClass></Contents>",
            escaped(key),
            rfc3339(self.modified_seconds),
            escaped(&self.etag),
            self.body.len()
        )
    }
}

fn with_etag(mut response: Response<Body>, etag: &str) -> Response<Body> {
    if let Ok(etag) = HeaderValue::try_from(etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

fn failed(error: &S3Error, method: &Method) -> Response<Body> {
    let (status, code) = error.shape();
    let body = format!(
        "<Error><Code>{code}</Code><Message>{}</Message></Error>",
        escaped(&error.to_string())
    );
    let body = if method == Method::HEAD {
        String::new()
    } else {
        body
    };
    http::response(status, XML, body)
}
