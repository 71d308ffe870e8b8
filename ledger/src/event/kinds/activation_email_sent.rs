use crate::event::event_kind;
use crate::event::protected::Person;
use crate::event::word::ContactRole;
use crate::id::{ActivationId, LicenseId, LinkId, MessageId, Name, OrderId};
use crate::time::Date;

event_kind! {
    /// The activation email went out.
    ActivationEmailSent = 402, version 1, rank 4020, source "S0; S2; R4" {
        /// The message.
        message: MessageId,
        /// For which agreement.
        license_id: LicenseId,
        /// For which order.
        order: Option<OrderId>,
        /// For which activation.
        activation: Option<ActivationId>,
        /// To whom.
        recipient: Person,
        /// In which role.
        role: ContactRole,
        /// Its subject line.
        subject: Option<Name>,
        /// The link in it.
        link: Option<LinkId>,
        /// The last day of the link (P4: six months after purchase).
        link_expires: Option<Date>,
    }
}
