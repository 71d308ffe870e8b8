//! Identifiers: one type a meaning, so that a tenant can never stand where a customer belongs.
//!
//! An identifier is kept exactly as its source prints it, trimmed; tenants and domains are lowered.
//! Field types decide which subjects an event names (see [`crate::subject`]).

use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest identifier or name that is accepted, in bytes of UTF-8.
pub const TEXT_LENGTH_MAX_BYTES: usize = 256;

/// Why a text cannot be an identifier or a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// Nothing but white space.
    #[error("is empty")]
    Empty,
    /// Longer than [`TEXT_LENGTH_MAX_BYTES`].
    #[error("is longer than {TEXT_LENGTH_MAX_BYTES} bytes")]
    TooLong,
    /// Control characters would break every listing it is printed in.
    #[error("contains a control character")]
    Control,
    /// An activation key would be stored in clear.
    #[error("looks like an activation key, which may stand in a key field only")]
    LooksLikeKey,
    /// An address would be stored in clear.
    #[error("contains '@', so it looks like an address, which may stand in a person field only")]
    LooksLikeAddress,
    /// A phone number would be stored in clear.
    #[error("looks like a phone number, which may stand in a person field only")]
    LooksLikePhone,
    /// An IP address would be stored in clear.
    #[error("looks like an IP address, which may stand in a network field only")]
    LooksLikeNetwork,
}

/// How many digits a phone number has at least.
const PHONE_DIGITS_MIN: usize = 8;

/// Checks a text that is going to be stored in clear: no address, no activation key, no phone number in
/// its international form, nothing that is an IP address as a whole, no control character, not empty, not longer than [`TEXT_LENGTH_MAX_BYTES`]. Returns it trimmed.
pub fn clear_text(text: &str) -> Result<&str, TextError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    if text.len() > TEXT_LENGTH_MAX_BYTES {
        return Err(TextError::TooLong);
    }
    if text.chars().any(char::is_control) {
        return Err(TextError::Control);
    }
    if text.contains('@') {
        return Err(TextError::LooksLikeAddress);
    }
    if holds_key(text) {
        return Err(TextError::LooksLikeKey);
    }
    if holds_phone(text) {
        return Err(TextError::LooksLikePhone);
    }
    if text.parse::<std::net::IpAddr>().is_ok() {
        return Err(TextError::LooksLikeNetwork);
    }
    Ok(text)
}

/// Whether a text holds a phone number in its international form: a plus, and digits with nothing but
/// blanks, hyphens, dots, slashes and brackets between them.
pub fn holds_phone(text: &str) -> bool {
    let numbers = text.split('+').skip(1);
    numbers
        .map(digits_at_start)
        .any(|count| count >= PHONE_DIGITS_MIN)
}

fn digits_at_start(text: &str) -> usize {
    if !text.starts_with(|first: char| first.is_ascii_digit() || first == '(') {
        return 0;
    }
    let between = |byte: &u8| matches!(byte, b' ' | b'-' | b'.' | b'/' | b'(' | b')');
    let number = text
        .bytes()
        .take_while(|byte| byte.is_ascii_digit() || between(byte));
    number.filter(u8::is_ascii_digit).count()
}

/// Whether a text holds an activation key: five groups of five letters or digits, joined by
/// hyphens or spaces, anywhere in it; or exactly 25 letters and digits, both kinds among them.
pub fn holds_key(text: &str) -> bool {
    let alone = text.len() == 25
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().any(|b| b.is_ascii_alphabetic());
    alone || has_five_groups(text)
}

fn has_five_groups(text: &str) -> bool {
    let mut groups = 0_usize;
    let mut run = 0_usize;
    let mut joined = false;
    for byte in text.bytes().chain(std::iter::once(0)) {
        if byte.is_ascii_alphanumeric() {
            run += 1;
            continue;
        }
        groups = match (run, joined) {
            (5, true) => groups + 1,
            (5, false) => 1,
            _ => 0,
        };
        if groups == 5 {
            return true;
        }
        joined = byte == b'-' || byte == b' ';
        run = 0;
    }
    false
}

/// Declares identifier types that are texts in clear.
macro_rules! id_type {
    ($($(#[$doc:meta])* $name:ident $(($lower:ident))? ;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(String);

        impl $name {
            /// Checks and wraps a text; see [`clear_text`] for what is refused.
            pub fn new(text: &str) -> Result<Self, TextError> {
                let text = clear_text(text)?;
                $( let $lower = text.to_lowercase(); let text = $lower.as_str(); )?
                Ok(Self(text.to_owned()))
            }

            /// A text that was stored as such.
            pub(crate) fn of_stored(text: &str) -> Self {
                Self(text.to_owned())
            }

            /// The text as it is stored.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

id_type! {
    /// The legal customer, as a vendor, distributor or partner knows it.
    CustomerId;
    /// A reseller or distributor.
    PartnerId;
    /// One signed agreement (E1).
    LicenseId;
    /// A customer number at the vendor; an organisation may have several (E1).
    Pcn;
    /// A purchase order.
    OrderId;
    /// An email message.
    MessageId;
    /// The link in an activation email.
    LinkId;
    /// One activation: its order, mails, links and choice (section A, "One choice").
    ActivationId;
    /// A browser session at a portal.
    SessionId;
    /// A directory: its initial domain or its directory id, as the source names it; lower case.
    TenantId(lower);
    /// A licence subscription in a tenant. (A feed of events is a *tail*.)
    SubscriptionId;
    /// One redemption: from opening the window to the keys being redeemed.
    RedemptionId;
    /// One lot of prepaid credit (section 5.4).
    LotId;
    /// A support case that compensates.
    CaseId;
    /// What went wrong, see the audit in `replay`.
    FindingId;
    /// A stock keeping unit: its part number or id.
    Sku;
    /// A name or code in clear: organisations, products, systems; never a person.
    Name;
    /// A DNS domain; lower case.
    DomainName(lower);
}

/// The 128-bit identity of an event, for ever: a keyed BLAKE3 of what its source said.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventId(#[serde(with = "crate::fixed::sixteen")] pub [u8; 16]);

impl EventId {
    /// Reads 32 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        parse_hex16(text).map(Self)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// At most 16 bytes as hexadecimal digits, the first ones of the 32.
pub(crate) fn hex_digits(bytes: &[u8]) -> [u8; 32] {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or(b'?');
    let mut text = [b'?'; 32];
    for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(byte & 15)];
    }
    text
}

pub(crate) fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    for part in bytes.chunks(16) {
        let text = hex_digits(part);
        let text = text.get(..2 * part.len()).unwrap_or_default();
        f.write_str(std::str::from_utf8(text).unwrap_or_default())?;
    }
    Ok(())
}

/// Reads exactly 16 bytes as 32 hexadecimal digits.
pub(crate) fn parse_hex16(text: &str) -> Option<[u8; 16]> {
    parse_hex(text)?.try_into().ok()
}

/// Reads bytes as hexadecimal digits.
pub(crate) fn parse_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect();
    Some(
        digits?
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0, |byte, digit| byte * 16 + digit))
            .collect(),
    )
}

/// Declares a dense number that starts at `FIRST`.
macro_rules! number_type {
    ($($(#[$doc:meta])* $name:ident: $repr:ty;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub $repr);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )+};
}

number_type! {
    /// Where an event stands in the log: dense and global; the first event has position 1.
    /// As an "end" it is the position of the last event, 0 for an empty log.
    Position: u64;
    /// How many events of the log name a subject; 0 for a subject that no event names.
    Revision: u64;
    /// Licences for one user each.
    Seats: u32;
    /// A length of time in whole days.
    Days: u32;
    /// A length of time in whole minutes.
    Minutes: u32;
    /// A length of time in whole calendar months.
    Months: u32;
    /// A difference in seconds; positive when ahead.
    Seconds: i64;
    /// An amount of money in the minor unit of its currency (cents).
    MinorUnits: i64;
}

impl Position {
    /// The position that follows.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_recognised_in_every_spelling_and_ordinary_ids_are_not() {
        for key in [
            "AAAAA-BBBBB-CCCCC-DDDDD-EEEE2",
            "aaaaa bbbbb ccccc ddddd eeee2",
            "key AAAAA-BBBBB-CCCCC-DDDDD-EEEE2 as mailed",
            "AAAAABBBBBCCCCCDDDDDEEEE2",
        ] {
            assert_eq!(clear_text(key), Err(TextError::LooksLikeKey), "{key}");
        }
        for id in [
            "82cef0d9-d31d-456e-a3fa-ae2637ea2984",
            "YxH1q4KScfvfkJQjgRI8QY1DznnUWZTH1",
            "88213345",
            "contoso.onmicrosoft.example",
            "abcdefghijklmnopqrstuvwxy",
            // As long as a key, and its letters and digits are no 25.
            "Granitespring Insurance 2",
        ] {
            assert_eq!(clear_text(id), Ok(id));
        }
    }

    #[test]
    fn a_phone_number_or_an_ip_address_is_never_an_id_and_a_version_is_one() {
        for phone in [
            "+49 30 1234-5678",
            "call +1 (425) 555-0100",
            "+442071838750",
        ] {
            assert_eq!(clear_text(phone), Err(TextError::LooksLikePhone), "{phone}");
        }
        for network in ["203.0.113.7", "2001:db8::1", " 10.0.0.1 "] {
            assert_eq!(
                clear_text(network),
                Err(TextError::LooksLikeNetwork),
                "{network}"
            );
        }
        for id in [
            "15.0.4420.1017",
            "C++ 2015-2019",
            "GMT+0100",
            "a+b",
            "10.0.0.1:8420",
        ] {
            assert_eq!(clear_text(id), Ok(id));
        }
    }

    #[test]
    fn an_address_is_never_an_id() {
        assert_eq!(
            SessionId::new("jo@contoso.example"),
            Err(TextError::LooksLikeAddress)
        );
    }

    #[test]
    fn hex_survives_a_round_trip() {
        let id = EventId(*b"0123456789abcdef");
        assert_eq!(EventId::parse(&id.to_string()), Some(id));
        assert_eq!(EventId::parse("00"), None);
        assert_eq!(EventId::parse("zz"), None);
    }
}
