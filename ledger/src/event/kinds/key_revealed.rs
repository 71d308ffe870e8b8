use crate::event::event_kind;
use crate::event::protected::Person;
use crate::event::word::KeyChannel;
use crate::id::PartnerId;
use crate::secret::KeyFingerprint;

event_kind! {
    /// A key was shown or handed to somebody.
    KeyRevealed = 309, version 1, rank 3090, source "section 4.2; W20" {
        /// Which key.
        key: KeyFingerprint,
        /// To whom.
        to: Option<Person>,
        /// The partner that handled it.
        partner: Option<PartnerId>,
        /// How.
        channel: KeyChannel,
    }
}
