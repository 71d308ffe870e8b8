//! The keys of signed notes (C2SP signed-note): Ed25519, with a name.

use super::text;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use std::fmt;

/// The algorithm byte of Ed25519 signatures.
const ED25519: u8 = 0x01;

/// What the text form of a signing key begins with.
const SIGNER_MARK: &str = "PRIVATE+KEY+";

/// The name of a key: not empty, without white space and `+`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyName(String);

/// Tells keys apart that have the same name. It is short, and no proof of anything.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyId(pub [u8; 4]);

/// Checks signatures. Whoever is to believe a checkpoint has to have it from elsewhere than from the
/// checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: KeyName,
    id: KeyId,
    key: VerifyingKey,
}

/// Makes signatures. It is a secret: nothing prints it but [`SignerKey::expose`].
#[derive(Clone)]
pub struct SignerKey {
    name: KeyName,
    key: SigningKey,
}

/// Why a text is no key. It never repeats the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not the form of a key.
    #[error("it does not have the form {form}")]
    Form {
        /// What it should look like.
        form: &'static str,
    },
    /// Its name cannot be one.
    #[error("its name is empty, or holds a blank or a plus sign")]
    Name,
    /// Of another algorithm.
    #[error("it is no Ed25519 key")]
    Algorithm,
    /// The id in the text is not that of the key in the text: one of both was changed.
    #[error("its id does not match it")]
    Id,
    /// Not a point of the curve, or one under which anybody can sign.
    #[error("it is not a usable Ed25519 key")]
    Unusable,
}

impl KeyName {
    /// A name, if it can be one.
    pub fn new(name: &str) -> Option<Self> {
        let wrong = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        (!name.is_empty() && !name.contains(wrong)).then(|| Self(name.to_owned()))
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl KeyId {
    fn of(name: &KeyName, public: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(name.0.as_bytes());
        hasher.update(b"\n");
        hasher.update([ED25519]);
        hasher.update(public);
        let hash: [u8; 32] = hasher.finalize().into();
        Self(hash.first_chunk().copied().unwrap_or_default())
    }
}

/// The parts `NAME+ID+KEY` of a text.
fn parts(text: &str, form: &'static str) -> Result<(KeyName, String, [u8; 32]), KeyError> {
    let wrong = || KeyError::Form { form };
    let (name, rest) = text.split_once('+').ok_or_else(wrong)?;
    let (id, key) = rest.split_once('+').ok_or_else(wrong)?;
    let name = KeyName::new(name).ok_or(KeyError::Name)?;
    let key = text::bytes(key).ok_or_else(wrong)?;
    let (algorithm, key) = key.split_first().ok_or_else(wrong)?;
    if *algorithm != ED25519 {
        return Err(KeyError::Algorithm);
    }
    let key = key.try_into().map_err(|_| wrong())?;
    Ok((name, id.to_owned(), key))
}

fn with_algorithm(key: &[u8]) -> String {
    text::base64(&[&[ED25519], key].concat())
}

impl VerifierKey {
    /// Reads the text form `NAME+ID+KEY`, without a line end: id in hexadecimal digits, algorithm and
    /// public key in base64.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let (name, id, key) = parts(text, "NAME+ID+KEY of a verifier key")?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| KeyError::Unusable)?;
        if key.is_weak() {
            return Err(KeyError::Unusable);
        }
        let found = Self::new(name, key);
        match found.id.to_string() == id {
            true => Ok(found),
            false => Err(KeyError::Id),
        }
    }

    fn new(name: KeyName, key: VerifyingKey) -> Self {
        let id = KeyId::of(&name, key.as_bytes());
        Self { name, id, key }
    }

    /// Its name.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// Its id.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Whether a signature was made over these bytes with the signing key that belongs to it.
    pub fn verifies(&self, bytes: &[u8], signature: &[u8]) -> bool {
        let signature = Signature::from_slice(signature);
        signature.is_ok_and(|signature| self.key.verify_strict(bytes, &signature).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = with_algorithm(self.key.as_bytes());
        write!(f, "{}+{}+{key}", self.name, self.id)
    }
}

impl SignerKey {
    /// The key of a name from 32 random bytes.
    pub fn new(name: KeyName, seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        Self { name, key }
    }

    /// Reads the text form, without a line end.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let form = "PRIVATE+KEY+NAME+ID+KEY of a signing key";
        let rest = text
            .strip_prefix(SIGNER_MARK)
            .ok_or(KeyError::Form { form })?;
        let (name, id, seed) = parts(rest, form)?;
        let found = Self::new(name, &seed);
        match found.verifier().id.to_string() == id {
            true => Ok(found),
            false => Err(KeyError::Id),
        }
    }

    /// Its text form, which is secret: for the one file that keeps it.
    pub fn expose(&self) -> String {
        let VerifierKey { name, id, .. } = self.verifier();
        let key = with_algorithm(self.key.as_bytes());
        format!("{SIGNER_MARK}{name}+{id}+{key}")
    }

    /// Its name.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The key that checks what this one signs.
    pub fn verifier(&self) -> VerifierKey {
        VerifierKey::new(self.name.clone(), self.key.verifying_key())
    }

    /// Signs some bytes.
    pub(super) fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.key.sign(bytes).to_bytes().to_vec()
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignerKey({}, not shown)", self.name)
    }
}
