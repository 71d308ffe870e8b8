//! Secrets: what may be stored of an activation key, a person, a machine or an address.
//!
//! An activation key exists only in the moment of input; what is stored is a keyed BLAKE3
//! fingerprint and its last five characters. A person or a machine is stored as a keyed pseudonym,
//! its plaintext sealed under a key of its own. The keys come from a [`Keyring`], which lives apart
//! from the store. Secrets are held in types that are neither printed nor serialised, and that wipe
//! their memory when they are dropped.

mod cipher;
mod sealing;

use crate::id::{parse_hex16, write_hex};
pub(crate) use sealing::Seat;
pub use sealing::{
    Found, Keyring, Opened, Plaintext, PublicKeyring, Sealed, SealedKind, SealingKey,
};
use secrecy::{ExposeSecret, SecretBox};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::{Arc, LazyLock};
use zeroize::Zeroizing;

/// A pseudonym: 128 bits of keyed BLAKE3.
pub type Pseudonym = [u8; 16];

/// 32 secret bytes, shared by their clones and wiped with the last of them.
#[derive(Clone)]
struct Secret32(Arc<SecretBox<[u8; 32]>>);

impl Secret32 {
    fn new(bytes: [u8; 32]) -> Self {
        let bytes = Zeroizing::new(bytes);
        Self(Arc::new(SecretBox::init_with_mut(|to: &mut [u8; 32]| {
            *to = *bytes;
        })))
    }

    fn expose(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }
}

/// The secret that every fingerprint and pseudonym of a ledger is keyed with.
#[derive(Clone)]
pub struct Pepper(Secret32);

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pepper({})", self.id())
    }
}

/// Names a pepper without revealing it, so that fingerprints of two ledgers are never mixed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PepperId([u8; 4]);

impl PepperId {
    /// Reads eight hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        crate::id::parse_hex(text)?.try_into().ok().map(Self)
    }
}

impl fmt::Display for PepperId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for PepperId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

static PUBLIC: LazyLock<Pepper> = LazyLock::new(|| {
    let secret = blake3::derive_key("activation-ledger 2026 public pepper", b"");
    Pepper::new(secret)
});

impl Pepper {
    /// Wraps 32 secret bytes.
    pub fn new(secret: [u8; 32]) -> Self {
        Self(Secret32::new(secret))
    }

    /// The pepper that everybody knows: for replays of public material, whose output must be the
    /// same on every machine. Fingerprints made with it can be guessed.
    pub fn public() -> Self {
        PUBLIC.clone()
    }

    /// The secret bytes, for the vault that keeps them.
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// The public name of this pepper.
    pub fn id(&self) -> PepperId {
        let [a, b, c, d, ..] =
            blake3::derive_key("activation-ledger 2026 pepper id", self.expose());
        PepperId([a, b, c, d])
    }

    /// Keyed BLAKE3 of some parts, each prefixed with its length, under a purpose.
    pub fn digest(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(self.expose());
        hasher.update(&[purpose as u8]);
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }

    /// [`Pepper::digest`] cut to 128 bits.
    pub fn pseudonym(&self, purpose: Purpose, parts: &[&[u8]]) -> Pseudonym {
        let mut short = [0; 16];
        for (to, from) in short.iter_mut().zip(self.digest(purpose, parts)) {
            *to = from;
        }
        short
    }
}

/// What a keyed digest is for: two purposes never give the same digest. Storage contract: numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Purpose {
    /// Activation keys.
    Key = 1,
    /// Persons, by address.
    Person = 2,
    /// Machines, by name.
    Machine = 3,
    /// DNS domains of persons.
    Domain = 4,
    /// IP addresses.
    Network = 5,
    /// Event ids.
    Event = 6,
    /// The plaintext that a sealed field stands for, before its event has an id.
    Plaintext = 7,
    /// Sealing keys derived from a pepper: public replays only.
    SealingKey = 9,
    /// Owners of sealed notes.
    Note = 10,
}

/// The last five characters of a key, upper case: what portals and tools print.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Last5([u8; 5]);

impl Last5 {
    /// Five characters that were stored as such.
    pub(crate) fn of_stored(bytes: [u8; 5]) -> Self {
        Self(bytes)
    }

    /// Reads exactly five letters or digits, in either case.
    pub fn parse(text: &str) -> Option<Self> {
        let upper = text.trim().to_ascii_uppercase();
        let bytes: [u8; 5] = upper.as_bytes().try_into().ok()?;
        bytes
            .iter()
            .all(u8::is_ascii_alphanumeric)
            .then_some(Self(bytes))
    }

    /// The five characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("?????")
    }
}

impl fmt::Display for Last5 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Last5 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is stored of a 25-character online service activation key (R12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeyFingerprint {
    /// Keyed BLAKE3 of the normalised key.
    #[serde(with = "crate::fixed::sixteen")]
    pub digest: Pseudonym,
    /// Its last five characters.
    pub last5: Last5,
}

impl KeyFingerprint {
    /// Fingerprints a key as it was typed: case, hyphens and spaces do not count. `None` if it has
    /// not exactly 25 letters and digits. The text is not kept.
    pub fn of_key(pepper: &Pepper, typed: &str) -> Option<Self> {
        let mut normal = Zeroizing::new([0_u8; 25]);
        let mut length = 0_usize;
        for byte in typed.bytes().filter(|b| !matches!(b, b'-' | b' ')) {
            if !byte.is_ascii_alphanumeric() {
                return None;
            }
            *normal.get_mut(length)? = byte.to_ascii_uppercase();
            length += 1;
        }
        if length != normal.len() {
            return None;
        }
        let [.., a, b, c, d, e] = *normal;
        let digest = pepper.pseudonym(Purpose::Key, &[&*normal]);
        Some(Self {
            digest,
            last5: Last5([a, b, c, d, e]),
        })
    }

    /// The protected form, which an export carries and an import takes: `key:PEPPER:DIGEST:LAST5`.
    pub fn protected(&self, pepper: PepperId) -> String {
        format!("key:{pepper}:{}:{}", Hex(self.digest), self.last5)
    }
}

/// Declares a pseudonym type.
macro_rules! pseudonym_type {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(#[serde(with = "crate::fixed::sixteen")] pub Pseudonym);

        impl $name {
            /// Reads 32 hexadecimal digits.
            pub fn parse(text: &str) -> Option<Self> {
                parse_hex16(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(f, &self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )+};
}

pseudonym_type! {
    /// A person, by the keyed digest of the normalised address.
    PersonId;
    /// A machine, by the keyed digest of its normalised name.
    MachineId;
    /// A DNS domain by keyed digest: a person's domain is stored so, and shown in clear only
    /// where some event says that a tenant or a customer verified it.
    DomainId;
    /// An IP address by keyed digest.
    NetworkId;
}

struct Hex(Pseudonym);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

/// Domains in which anybody can have an address: they say nothing about whose person it is (R7).
pub const PUBLIC_DOMAINS: &[&str] = &[
    "aol.com",
    "free.fr",
    "gmail.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hotmail.com",
    "icloud.com",
    "live.com",
    "mail.com",
    "mail.example",
    "mail.ru",
    "me.com",
    "msn.com",
    "outlook.com",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "t-online.de",
    "web.de",
    "yahoo.co.jp",
    "yahoo.com",
    "yandex.ru",
    "163.com",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_key_in_every_spelling() {
        let pepper = Pepper::public();
        let one = KeyFingerprint::of_key(&pepper, "AAAAA-BBBBB-CCCCC-DDDDD-EEEE2").unwrap();
        let two = KeyFingerprint::of_key(&pepper, "aaaaabbbbb ccccc-ddddd eeee2").unwrap();
        assert_eq!(one, two);
        assert_eq!(one.last5.as_str(), "EEEE2");
        assert_eq!(KeyFingerprint::of_key(&pepper, "AAAAA-BBBBB"), None);
        assert_eq!(
            KeyFingerprint::of_key(&pepper, "AAAAA-BBBBB-CCCCC-DDDDD-EEEE22"),
            None
        );
        let other = KeyFingerprint::of_key(&Pepper::new([7; 32]), "AAAAABBBBBCCCCCDDDDDEEEE2");
        assert_ne!(Some(one), other);
    }
}
