//! Bytes as hexadecimal digits.

/// The digits of some bytes, lower case.
pub fn write(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads exactly `N` bytes, or `None`.
pub fn read<const N: usize>(text: &str) -> Option<[u8; N]> {
    let nibbles: Option<Vec<u8>> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let (pairs, rest) = nibbles.as_deref()?.as_chunks::<2>();
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high * 16 + low).collect();
    rest.is_empty().then(|| bytes.try_into().ok()).flatten()
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
