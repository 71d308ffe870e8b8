//! The stored form of byte arrays: the bytes themselves, as element by element, but many at a time.
//!
//! The stored layout keeps a `u128` as its 16 bytes, lowest first, so an array that is handed over as
//! one number is stored as the same bytes in one step instead of sixteen.

/// Arrays of 16 bytes, for `#[serde(with)]`.
pub(crate) mod sixteen {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8; 16], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u128(u128::from_le_bytes(*bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 16], D::Error> {
        u128::deserialize(from).map(u128::to_le_bytes)
    }
}

/// Arrays of 24 bytes, for `#[serde(with)]`.
pub(crate) mod twenty_four {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8; 24], to: S) -> Result<S::Ok, S::Error> {
        let (first, rest) = bytes.split_first_chunk().unwrap_or((&[0; 16], &[]));
        let rest = rest.first_chunk().copied().unwrap_or_default();
        (u128::from_le_bytes(*first), u64::from_le_bytes(rest)).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 24], D::Error> {
        let (first, rest) = <(u128, u64)>::deserialize(from)?;
        let bytes = first.to_le_bytes().into_iter().chain(rest.to_le_bytes());
        let mut whole = [0; 24];
        whole
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = from);
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Fast(
        #[serde(with = "super::sixteen")] [u8; 16],
        #[serde(with = "super::twenty_four")] [u8; 24],
    );

    #[test]
    fn arrays_are_stored_as_their_bytes() {
        let bytes: [u8; 40] = std::array::from_fn(|n| n as u8 + 1);
        let fast = Fast(*bytes.first_chunk().unwrap(), *bytes.last_chunk().unwrap());
        let config = bincode::config::legacy();
        let stored = bincode::serde::encode_to_vec(&fast, config).unwrap();
        assert_eq!(stored, bytes);
        let (back, _) = bincode::serde::decode_from_slice::<Fast, _>(&stored, config).unwrap();
        assert_eq!(back, fast);
    }
}
