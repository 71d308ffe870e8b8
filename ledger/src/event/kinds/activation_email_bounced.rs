use crate::event::event_kind;
use crate::id::{MessageId, Name};

event_kind! {
    /// The activation email came back.
    ActivationEmailBounced = 405, version 1, rank 4050, source "section 4.2" {
        /// Which message.
        message: MessageId,
        /// What the mail system said.
        status: Option<Name>,
    }
}
