use crate::event::event_kind;
use crate::event::protected::Person;
use crate::event::word::ContactRole;
use crate::id::{LicenseId, LinkId, MessageId};

event_kind! {
    /// The activation email was sent again, on request.
    ActivationEmailResent = 407, version 1, rank 4070, source "R6; P8" {
        /// The new message.
        message: MessageId,
        /// The message that it repeats.
        original: MessageId,
        /// For which agreement.
        license_id: Option<LicenseId>,
        /// Who asked for it.
        requested_by: Option<Person>,
        /// To whom.
        recipient: Person,
        /// In which role.
        role: Option<ContactRole>,
        /// The link in it.
        link: Option<LinkId>,
    }
}
