//! Bytes as hexadecimal digits.

use zeroize::Zeroize;

/// The digits of some bytes, lower case.
pub fn write(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(nibble), 16));
        }
    }
    text
}

/// Reads exactly `N` bytes, or `None`.
pub fn read<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = read_all(text)?;
    let read = bytes.as_slice().try_into().ok();
    bytes.zeroize();
    read
}

/// Reads any number of bytes, or `None`.
pub fn read_all(text: &str) -> Option<Vec<u8>> {
    let nibble = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs
        .iter()
        .map(|[high, low]| Some(nibble(*high)? * 16 + nibble(*low)?));
    rest.is_empty().then(|| bytes.collect()).flatten()
}

#[cfg(test)]
mod tests {
    #[test]
    fn bytes_survive_a_round_trip_and_other_texts_are_refused() {
        let bytes = [0, 1, 0x7f, 0xff];
        assert_eq!(super::read(&super::write(&bytes)), Some(bytes));
        for wrong in ["", "00", "0001", "zz017fff", "00017fff0", "00017ffff0"] {
            assert_eq!(super::read::<4>(wrong), None, "{wrong}");
        }
    }
}
