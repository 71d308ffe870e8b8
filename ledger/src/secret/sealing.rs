//! Sealing: plaintexts under keys that can be destroyed.
//!
//! A person's fields are sealed under the person's key. A machine's name, an IP address or a note is
//! sealed under its own key and, in an event that has persons in it, under theirs as well: whichever of
//! them is destroyed, the plaintext is gone. Every field of every event has a key of its own, derived
//! from those, so that no two plaintexts are ever encrypted under one key.

use super::{Pepper, Pseudonym, Purpose, Secret32, cipher};
use crate::id::EventId;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

/// What a sealed field stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SealedKind {
    /// A person's address and name.
    Person,
    /// A machine's name.
    Machine,
    /// An IP address.
    Network,
    /// Free text.
    Note,
}

/// What was sealed. It is neither printed nor serialised, and wiped when it is dropped.
#[derive(Clone)]
pub struct Plaintext(SecretString);

impl Plaintext {
    /// Takes a text over.
    pub fn new(text: String) -> Self {
        Self(SecretString::from(text))
    }

    /// The text, for whoever may see it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plaintext(..)")
    }
}

/// A key that seals and opens the fields of one owner.
#[derive(Clone)]
pub struct SealingKey(Secret32);

impl SealingKey {
    /// Wraps 32 secret bytes.
    pub fn new(secret: [u8; 32]) -> Self {
        Self(Secret32::new(secret))
    }

    /// The secret bytes, for the vault that keeps them.
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }
}

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

    /// The key of an owner, if there is one.
    fn opening_key(&self, owner: Pseudonym) -> Option<SealingKey>;
}

/// A keyring for public material: the public pepper, and keys derived from it. It hides nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct PublicKeyring;

impl Keyring for PublicKeyring {
    fn pepper(&self) -> Pepper {
        Pepper::public()
    }

    fn sealing_key(&mut self, owner: Pseudonym) -> Option<SealingKey> {
        self.opening_key(owner)
    }

    fn opening_key(&self, owner: Pseudonym) -> Option<SealingKey> {
        let key = Pepper::public().digest(Purpose::SealingKey, &[&owner]);
        Some(SealingKey::new(key))
    }
}

/// Ciphertext of a plaintext that only the keys of its owner, and of the persons of its event, open.
///
/// Before its event has an id it is *pending*: the nonce holds a keyed digest of the plaintext and
/// the ciphertext is empty, which is what event ids are computed over. Storage contract: field order.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sealed {
    /// Whose key opens it: the pseudonym of a person, a machine, a network or a note.
    #[serde(with = "crate::fixed::sixteen")]
    pub owner: Pseudonym,
    /// Keyed BLAKE3 of the plaintext under a key derived beside the field's own. So encoding is
    /// deterministic; and it commits to the key, because another key that decrypts the ciphertext to
    /// anything at all would have to lead to the same nonce again, which is compared.
    #[serde(with = "crate::fixed::twenty_four")]
    pub nonce: [u8; 24],
    /// XChaCha20-Poly1305, the owner authenticated with it.
    #[serde(with = "serde_bytes")]
    pub ciphertext: Vec<u8>,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.ciphertext.len())
    }
}

/// Which field of which event a plaintext is sealed as, and together with whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seat<'p> {
    /// The event.
    event: EventId,
    /// Its number among the sealed fields of the event.
    field: u32,
    /// The persons of the event, sorted, for fields that are not a person's own.
    persons: &'p [Pseudonym],
}

/// The keys of one field: the first encrypts, the second makes the nonce.
struct FieldKeys(Zeroizing<[[u8; 32]; 2]>);

impl<'p> Seat<'p> {
    /// The place of a field among the sealed fields of an event with these persons in it.
    pub(crate) fn of(
        event: EventId,
        field: u32,
        kind: SealedKind,
        persons: &'p [Pseudonym],
    ) -> Self {
        let persons = match kind {
            SealedKind::Person => &[],
            SealedKind::Machine | SealedKind::Network | SealedKind::Note => persons,
        };
        Self {
            event,
            field,
            persons,
        }
    }

    /// Whose keys a field of this owner needs: its own, and those of the persons.
    fn owners(&self, owner: Pseudonym) -> impl Iterator<Item = Pseudonym> {
        let others = self.persons.iter().copied();
        std::iter::once(owner).chain(others.filter(move |person| *person != owner))
    }

    /// Derives the keys of the field: keyed BLAKE3 under the owner's key of event, field, and each
    /// person with its key, drawn to twice 32 bytes. `None` if a key is missing.
    fn keys(
        &self,
        owner: Pseudonym,
        mut key_of: impl FnMut(Pseudonym) -> Option<SealingKey>,
    ) -> Option<FieldKeys> {
        let mut hasher = key_of(owner).map(|own| blake3::Hasher::new_keyed(own.expose()));
        if let Some(hasher) = &mut hasher {
            hasher.update(&self.event.0);
            hasher.update(&self.field.to_le_bytes());
        }
        let mut is_whole = true;
        // All are asked for, even if one is missing: who only notes what is needed has to see them.
        for person in self.owners(owner).skip(1) {
            match (key_of(person), &mut hasher) {
                (Some(key), Some(hasher)) => {
                    hasher.update(&person);
                    hasher.update(key.expose());
                }
                (None, _) => is_whole = false,
                (Some(_), None) => {}
            }
        }
        let hasher = hasher.filter(|_| is_whole)?;
        let mut keys = Zeroizing::new([[0; 32]; 2]);
        hasher.finalize_xof().fill(keys.as_flattened_mut());
        Some(FieldKeys(keys))
    }
}

impl FieldKeys {
    fn cipher(&self) -> &[u8; 32] {
        let [cipher, _] = &*self.0;
        cipher
    }

    fn nonce(&self, plaintext: &[u8]) -> [u8; 24] {
        let [_, nonce] = &*self.0;
        cut24(*blake3::keyed_hash(nonce, plaintext).as_bytes())
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

    /// A field whose plaintext is not kept: a key was destroyed, or there never was one.
    pub fn empty(owner: Pseudonym) -> Self {
        Self {
            owner,
            nonce: [0; 24],
            ciphertext: Vec::new(),
        }
    }

    /// Seals the plaintext; nothing of it is kept if one of the keys is missing.
    pub(crate) fn seal(&mut self, keyring: &mut dyn Keyring, seat: &Seat<'_>, plaintext: &str) {
        let owner = self.owner;
        let keys = seat.keys(owner, |one| keyring.sealing_key(one));
        let sealed = keys.and_then(|keys| {
            let nonce = keys.nonce(plaintext.as_bytes());
            let text = plaintext.as_bytes();
            let ciphertext = cipher::encrypt(keys.cipher(), &nonce, &owner, text)?;
            Some(Self {
                owner,
                nonce,
                ciphertext,
            })
        });
        *self = sealed.unwrap_or_else(|| Self::empty(owner));
    }

    /// Opens the field; `None` if nothing is kept, a key is missing, or the keys do not open it.
    pub(crate) fn open(&self, keyring: &dyn Keyring, seat: &Seat<'_>) -> Option<Plaintext> {
        if self.ciphertext.is_empty() {
            return None;
        }
        let keys = seat.keys(self.owner, |one| keyring.opening_key(one))?;
        let text = cipher::decrypt(keys.cipher(), &self.nonce, &self.owner, &self.ciphertext)?;
        let plaintext = Plaintext::new(std::str::from_utf8(&text).ok()?.to_owned());
        (keys.nonce(plaintext.expose().as_bytes()) == self.nonce).then_some(plaintext)
    }
}

fn cut24(digest: [u8; 32]) -> [u8; 24] {
    let mut short = [0; 24];
    for (to, from) in short.iter_mut().zip(digest) {
        *to = from;
    }
    short
}

/// A sealed field that was opened.
#[derive(Debug, Clone)]
pub struct Found {
    /// Whose it is.
    pub owner: Pseudonym,
    /// What it stands for.
    pub kind: SealedKind,
    /// What was sealed; a person's as JSON.
    pub plaintext: Plaintext,
}

/// The sealed fields of an event that were opened.
#[derive(Debug, Clone, Default)]
pub struct Opened(BTreeMap<[u8; 24], Found>);

impl Opened {
    pub(crate) fn add(&mut self, sealed: &Sealed, kind: SealedKind, plaintext: Plaintext) {
        let owner = sealed.owner;
        let found = Found {
            owner,
            kind,
            plaintext,
        };
        self.0.insert(sealed.nonce, found);
    }

    pub(crate) fn plaintext(&self, sealed: &Sealed) -> Option<&Plaintext> {
        let found = self.0.get(&sealed.nonce);
        let found = found.filter(|found| found.owner == sealed.owner);
        found.map(|found| &found.plaintext)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Found> {
        self.0.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was opened.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Leaves out what is not wanted.
    pub fn retain(&mut self, mut wanted: impl FnMut(&Found) -> bool) {
        self.0.retain(|_, found| wanted(found));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The public keys, but for those that were destroyed.
    #[derive(Default)]
    struct Without(BTreeSet<Pseudonym>);

    impl Keyring for Without {
        fn pepper(&self) -> Pepper {
            Pepper::public()
        }
        fn sealing_key(&mut self, owner: Pseudonym) -> Option<SealingKey> {
            self.opening_key(owner)
        }
        fn opening_key(&self, owner: Pseudonym) -> Option<SealingKey> {
            let key = PublicKeyring.opening_key(owner);
            key.filter(|_| !self.0.contains(&owner))
        }
    }

    const OWNER: Pseudonym = [3; 16];
    const PERSONS: &[Pseudonym] = &[[5; 16], [6; 16]];

    fn seat(event: u8, field: u32, persons: &[Pseudonym]) -> Seat<'_> {
        Seat {
            event: EventId([event; 16]),
            field,
            persons,
        }
    }

    fn sealed(seat: &Seat<'_>, text: &str) -> Sealed {
        let mut field = Sealed::pending(&Pepper::public(), OWNER, text);
        field.seal(&mut PublicKeyring, seat, text);
        field
    }

    #[test]
    fn what_is_sealed_opens_as_the_field_that_it_was_sealed_as_and_as_no_other() {
        let home = seat(9, 0, &[]);
        let field = sealed(&home, "Jo Blake");
        let opened = field.open(&PublicKeyring, &home).unwrap();
        assert_eq!(opened.expose(), "Jo Blake");
        for other in [seat(8, 0, &[]), seat(9, 1, &[]), seat(9, 0, PERSONS)] {
            assert!(field.open(&PublicKeyring, &other).is_none(), "{other:?}");
        }
        let mut moved = field.clone();
        moved.owner = [4; 16];
        assert!(moved.open(&PublicKeyring, &home).is_none());
        let pending = Sealed::pending(&Pepper::public(), OWNER, "Jo Blake");
        assert!(pending.open(&PublicKeyring, &home).is_none());
        let secret = format!(
            "{field:?} {opened:?} {:?}",
            PublicKeyring.opening_key(OWNER)
        );
        assert!(!secret.contains("Jo"), "{secret}");
    }

    #[test]
    fn each_key_that_is_destroyed_closes_the_field_for_ever() {
        let home = seat(9, 0, PERSONS);
        let field = sealed(&home, "KIOSK-7");
        assert!(field.open(&PublicKeyring, &home).is_some());
        for destroyed in [OWNER, [5; 16], [6; 16]] {
            let mut keyring = Without(BTreeSet::from([destroyed]));
            assert!(field.open(&keyring, &home).is_none());
            let mut again = Sealed::pending(&Pepper::public(), OWNER, "KIOSK-7");
            again.seal(&mut keyring, &home, "KIOSK-7");
            assert_eq!(again, Sealed::empty(OWNER), "nothing is brought back");
        }
        let other = Without(BTreeSet::from([[7; 16]]));
        assert!(field.open(&other, &home).is_some());
    }

    #[test]
    fn every_changed_bit_is_noticed_and_sealing_is_deterministic() {
        let home = seat(9, 0, PERSONS);
        let field = sealed(&home, "KIOSK-7");
        assert_eq!(sealed(&home, "KIOSK-7"), field);
        assert_ne!(sealed(&home, "KIOSK-8").nonce, field.nonce);
        for byte in 0..field.nonce.len() + field.ciphertext.len() {
            for bit in 0..8 {
                let mut changed = field.clone();
                let nonce = changed.nonce.len();
                match byte < nonce {
                    true => changed.nonce[byte] ^= 1 << bit,
                    false => changed.ciphertext[byte - nonce] ^= 1 << bit,
                }
                assert!(changed.open(&PublicKeyring, &home).is_none(), "{byte}");
            }
        }
    }

    #[test]
    fn a_nonce_commits_to_the_key() {
        // A ciphertext that another key decrypts as well, made with that key's own cipher: only the
        // nonce tells that it is not the key that it was sealed under.
        let home = seat(9, 0, &[]);
        let field = sealed(&home, "Jo Blake");
        let keys = home
            .keys([4; 16], |one| PublicKeyring.opening_key(one))
            .unwrap();
        let text = b"somebody else";
        let ciphertext = cipher::encrypt(keys.cipher(), &field.nonce, &[4; 16], text);
        let forged = Sealed {
            owner: [4; 16],
            nonce: field.nonce,
            ciphertext: ciphertext.unwrap(),
        };
        assert!(forged.open(&PublicKeyring, &home).is_none());
    }
}
