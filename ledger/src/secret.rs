//! Secrets: what may be stored of an activation key, a person, a machine or an address.
//!
//! An activation key exists only in the moment of input; what is stored is a keyed BLAKE3
//! fingerprint and its last five characters. A person or a machine is stored as a keyed pseudonym,
//! its plaintext sealed under a key of its own. The keys come from a [`Keyring`], which lives apart
//! from the store. Nothing here prints, logs or returns a plaintext.

use crate::id::{EventId, parse_hex16, write_hex};
use chacha20poly1305::aead::{Aead, KeyInit, Payload as AeadInput};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A pseudonym: 128 bits of keyed BLAKE3.
pub type Pseudonym = [u8; 16];

/// The secret that every fingerprint and pseudonym of a ledger is keyed with.
#[derive(Clone, Copy)]
pub struct Pepper([u8; 32]);

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

impl Pepper {
    /// Wraps 32 secret bytes.
    pub fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// The pepper that everybody knows: for replays of public material, whose output must be the
    /// same on every machine. Fingerprints made with it can be guessed.
    pub fn public() -> Self {
        Self(blake3::derive_key(
            "activation-ledger 2026 public pepper",
            b"",
        ))
    }

    /// The secret bytes, for the vault that keeps them.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The public name of this pepper.
    pub fn id(&self) -> PepperId {
        let [a, b, c, d, ..] = blake3::derive_key("activation-ledger 2026 pepper id", &self.0);
        PepperId([a, b, c, d])
    }

    /// Keyed BLAKE3 of some parts, each prefixed with its length, under a purpose.
    pub fn digest(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
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
    /// Nonces of sealed fields.
    Nonce = 8,
    /// Sealing keys derived from a pepper: public replays only.
    SealingKey = 9,
    /// Owners of sealed notes.
    Note = 10,
}

/// The last five characters of a key, upper case: what portals and tools print.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Last5([u8; 5]);

impl Last5 {
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
        let mut normal = [0_u8; 25];
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
        let [.., a, b, c, d, e] = normal;
        let digest = pepper.pseudonym(Purpose::Key, &[&normal]);
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

/// Ciphertext of a plaintext that only its owner's key opens.
///
/// Before its event has an id it is *pending*: the nonce holds a keyed digest of the plaintext and
/// the ciphertext is empty, which is what event ids are computed over. Storage contract: field order.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sealed {
    /// Whose key opens it: the pseudonym of a person, a machine, a network or a note.
    #[serde(with = "crate::fixed::sixteen")]
    pub owner: Pseudonym,
    /// Keyed hash of event id, field and plaintext, so that encoding is deterministic.
    #[serde(with = "crate::fixed::twenty_four")]
    pub nonce: [u8; 24],
    /// XChaCha20-Poly1305, the event id and the owner authenticated with it.
    #[serde(with = "serde_bytes")]
    pub ciphertext: Vec<u8>,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.ciphertext.len())
    }
}

/// A key that seals and opens the fields of one owner.
#[derive(Clone, Copy)]
pub struct SealingKey(pub [u8; 32]);

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(..)")
    }
}

/// Where the pepper and the sealing keys come from.
pub trait Keyring {
    /// The pepper of this ledger.
    fn pepper(&self) -> Pepper;

    /// The key of an owner, made if there is none yet; `None` if it was destroyed or if this
    /// keyring cannot make one: the field is then stored without its plaintext.
    fn sealing_key(&mut self, owner: Pseudonym) -> Option<SealingKey>;
}

/// A keyring for public material: the public pepper, and keys derived from it. It hides nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct PublicKeyring;

impl Keyring for PublicKeyring {
    fn pepper(&self) -> Pepper {
        Pepper::public()
    }

    fn sealing_key(&mut self, owner: Pseudonym) -> Option<SealingKey> {
        Some(SealingKey(
            Pepper::public().digest(Purpose::SealingKey, &[&owner]),
        ))
    }
}

impl Sealed {
    /// A field whose plaintext is known and whose event has no id yet.
    pub fn pending(pepper: &Pepper, owner: Pseudonym, plaintext: &str) -> Self {
        let digest = pepper.digest(Purpose::Plaintext, &[&owner, plaintext.as_bytes()]);
        Self {
            owner,
            nonce: cut24(digest),
            ciphertext: Vec::new(),
        }
    }

    /// A field whose plaintext is not kept: its owner's key was destroyed, or it never had one.
    pub fn empty(owner: Pseudonym) -> Self {
        Self {
            owner,
            nonce: [0; 24],
            ciphertext: Vec::new(),
        }
    }

    /// Seals the plaintext as field number `field` of an event.
    pub fn seal(&mut self, keyring: &mut dyn Keyring, event: EventId, field: u32, plaintext: &str) {
        let owner = self.owner;
        let nonce = keyring.pepper().digest(
            Purpose::Nonce,
            &[&event.0, &field.to_le_bytes(), plaintext.as_bytes()],
        );
        let sealed = keyring.sealing_key(owner).and_then(|key| {
            let nonce = cut24(nonce);
            let cipher = XChaCha20Poly1305::new(&key.0.into());
            let aad = [event.0, owner].concat();
            let input = AeadInput {
                msg: plaintext.as_bytes(),
                aad: &aad,
            };
            let ciphertext = cipher.encrypt(&XNonce::from(nonce), input).ok()?;
            Some(Self {
                owner,
                nonce,
                ciphertext,
            })
        });
        *self = sealed.unwrap_or_else(|| Self::empty(owner));
    }

    /// Opens the field with its owner's key; `None` if the key does not open it or nothing is kept.
    pub fn open(&self, key: SealingKey, event: EventId) -> Option<String> {
        if self.ciphertext.is_empty() {
            return None;
        }
        let cipher = XChaCha20Poly1305::new(&key.0.into());
        let aad = [event.0, self.owner].concat();
        let input = AeadInput {
            msg: &self.ciphertext,
            aad: &aad,
        };
        let plaintext = cipher.decrypt(&XNonce::from(self.nonce), input).ok()?;
        String::from_utf8(plaintext).ok()
    }
}

fn cut24(digest: [u8; 32]) -> [u8; 24] {
    let mut short = [0; 24];
    for (to, from) in short.iter_mut().zip(digest) {
        *to = from;
    }
    short
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

    #[test]
    fn what_is_sealed_opens_with_its_owners_key_for_its_own_event_only() {
        let mut keyring = PublicKeyring;
        let owner = [3; 16];
        let event = EventId([9; 16]);
        let mut field = Sealed::pending(&keyring.pepper(), owner, "Jo Blake");
        assert_eq!(field.open(keyring.sealing_key(owner).unwrap(), event), None);
        field.seal(&mut keyring, event, 0, "Jo Blake");
        let key = keyring.sealing_key(owner).unwrap();
        assert_eq!(field.open(key, event).as_deref(), Some("Jo Blake"));
        assert_eq!(field.open(key, EventId([8; 16])), None);
        let other = keyring.sealing_key([4; 16]).unwrap();
        assert_eq!(field.open(other, event), None);
    }
}
