use crate::event::event_kind;
use crate::id::{MessageId, Name};

event_kind! {
    /// A mail system took the activation email.
    ActivationEmailDelivered = 404, version 1, rank 4040, source "section 4.2" {
        /// Which message.
        message: MessageId,
        /// What the mail system said.
        status: Option<Name>,
    }
}
