//! How S3 writes keys in paths and bodies in chunks.

/// Takes the data out of chunks `SIZE;signature CRLF data CRLF`; what follows the empty chunk are checksums.
pub(super) fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line_end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let (line, after) = rest.split_at_checked(line_end)?;
        let size = std::str::from_utf8(line).ok()?.split(';').next()?;
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        let (data, after) = after.get(2..)?.split_at_checked(size)?;
        body.extend_from_slice(data);
        rest = after.strip_prefix(b"\r\n")?;
    }
}

/// A key as it is in a path, where `+`, `=` and `&` stand for themselves.
pub(super) fn decoded(key: &str) -> String {
    let key = key
        .replace('+', "%2B")
        .replace('=', "%3D")
        .replace('&', "%26");
    form_urlencoded::parse(key.as_bytes())
        .map(|(name, _)| name.into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_put_together_without_their_checksums() {
        let body =
            b"5;chunk-signature=x\r\nhello\r\n1\r\n!\r\n0\r\nx-amz-checksum-crc32:abc\r\n\r\n";
        assert_eq!(unchunked(body).as_deref(), Some(b"hello!".as_slice()));
        assert_eq!(unchunked(b"5\r\nhel"), None);
    }

    #[test]
    fn a_key_in_a_path_is_decoded() {
        assert_eq!(decoded("a%20b+c/d=1&e"), "a b+c/d=1&e");
    }
}
