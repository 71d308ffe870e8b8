use crate::event::event_kind;
use crate::event::protected::Person;
use crate::id::MessageId;

event_kind! {
    /// A recipient forwarded the activation email; it adds a permitted redeemer.
    ActivationEmailForwarded = 406, version 1, rank 4060, source "S0; R5" {
        /// Which message.
        message: MessageId,
        /// Who forwarded.
        from: Person,
        /// To whom.
        to: Person,
    }
}
