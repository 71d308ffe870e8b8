//! A keyring for what only has to recognise, not to keep.

use ledger::secret::{Keyring, Pepper, Pseudonym, SealingKey};

/// Knows the pepper and seals nothing.
#[derive(Debug, Clone)]
pub struct PepperOnly(pub Pepper);

impl Keyring for PepperOnly {
    fn pepper(&self) -> Pepper {
        self.0.clone()
    }

    fn sealing_key(&mut self, _: Pseudonym) -> Option<SealingKey> {
        None
    }

    fn opening_key(&self, _: Pseudonym) -> Option<SealingKey> {
        None
    }
}
