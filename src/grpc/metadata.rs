//! The metadata of a trigger as it comes: entries that nobody has read yet. KEDA sends the same ones with
//! each call, in whatever order; what they say is read when a trigger is new. Knows no key.

use std::{collections::HashMap, hash::BuildHasher};

use prost::{Message, bytes::Bytes};

/// An entry of `map<string, string>`, which on the wire is a message.
#[derive(Clone, PartialEq, Eq, Message)]
struct Entry {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
}

/// Why metadata cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum MetadataError {
    #[error("the trigger's metadata cannot be read: {0}")]
    Unreadable(#[from] prost::DecodeError),
    #[error("the trigger's metadata has the key {0:?} twice")]
    Twice(String),
}

/// The same for the same entries in any order. Who writes an object's metadata could only mix up
/// triggers of that object, so the hash need not withstand an attack.
pub(super) fn hash(entries: &[Bytes], hasher: &impl BuildHasher) -> u64 {
    let hashes = entries.iter().map(|entry| hasher.hash_one(entry));
    hashes.fold(0, u64::wrapping_add)
}

/// What the entries say.
pub(super) fn read(entries: &[Bytes]) -> Result<HashMap<String, String>, MetadataError> {
    let mut metadata = HashMap::with_capacity(entries.len());
    for entry in entries {
        let Entry { key, value } = Entry::decode(entry.clone())?;
        // The last one would count by the rules of the wire, but a hash knows no order.
        if metadata.contains_key(&key) {
            return Err(MetadataError::Twice(key));
        }
        metadata.insert(key, value);
    }
    Ok(metadata)
}

/// An entry as KEDA sends it.
#[cfg(test)]
pub(super) fn entry(key: &str, value: &str) -> Bytes {
    let (key, value) = (key.to_owned(), value.to_owned());
    Entry { key, value }.encode_to_vec().into()
}

#[cfg(test)]
mod tests {
    use foldhash::quality::RandomState;
    use proptest::prelude::*;

    use super::*;
    use crate::grpc::proto::{self, unread};

    /// What the server gets of a message.
    fn received(message: Vec<u8>) -> Result<Vec<Bytes>, prost::DecodeError> {
        let reference = unread::ScaledObjectRef::decode(Bytes::from(message))?;
        Ok(reference.scaler_metadata)
    }

    #[test]
    fn what_is_no_entry_is_an_error_that_says_so() {
        let said = |entry: &[u8]| {
            read(&[Bytes::copy_from_slice(entry)])
                .unwrap_err()
                .to_string()
        };
        let no_utf8 = said(&[0x0a, 1, 0xff]);
        assert!(
            no_utf8.contains("cannot be read") && no_utf8.contains("UTF-8"),
            "{no_utf8}"
        );
        assert!(said(&[0x0a, 9, b'k']).contains("cannot be read"));
        let twice = read(&[
            entry("awsRegion", "eu-west-1"),
            entry("awsRegion", "us-east-1"),
        ]);
        let twice = twice.unwrap_err().to_string();
        assert_eq!(
            twice,
            "the trigger's metadata has the key \"awsRegion\" twice"
        );
    }

    proptest! {
        #[test]
        fn a_map_is_read_as_it_was_sent_and_hashed_in_any_order(
            scaler_metadata in prop::collection::hash_map(".{0,12}", ".{0,12}", 0..12),
        ) {
            let sent = proto::ScaledObjectRef { scaler_metadata: scaler_metadata.clone(), ..Default::default() };
            let mut entries = received(sent.encode_to_vec()).unwrap();
            let (hasher, was) = (RandomState::default(), entries.clone());
            prop_assert_eq!(read(&entries).unwrap(), scaler_metadata);
            entries.reverse();
            prop_assert_eq!(hash(&entries, &hasher), hash(&was, &hasher));
            if let Some(left_out) = entries.pop() {
                prop_assert_ne!(hash(&entries, &hasher), hash(&was, &hasher), "{:?}", left_out);
            }
        }

        #[test]
        fn any_bytes_are_read_as_the_contract_reads_them(
            bytes in prop::collection::vec(prop_oneof![Just(0x1a_u8), Just(0x0a), Just(0x12), 0..8_u8, any::<u8>()], 0..24),
        ) {
            let by_contract = proto::ScaledObjectRef::decode(&*bytes);
            let entries = received(bytes).ok().and_then(|entries| Some((read(&entries).ok()?, entries)));
            if let Some((metadata, entries)) = entries {
                prop_assert_eq!(&metadata, &by_contract.unwrap().scaler_metadata);
                prop_assert_eq!(metadata.len(), entries.len());
            } else if let Ok(by_contract) = by_contract {
                // Refused by us alone: a key that is there twice.
                prop_assert!(!by_contract.scaler_metadata.is_empty());
            }
        }
    }
}
