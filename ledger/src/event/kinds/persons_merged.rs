use crate::event::event_kind;
use crate::event::protected::{Note, Person};
use crate::secret::PersonId;

event_kind! {
    /// Two addresses turned out to be one person's.
    PersonsMerged = 1302, version 1, rank 13020, source "DESIGN section 4" {
        /// One.
        person: PersonId,
        /// The other.
        with: PersonId,
        /// Who says so.
        by: Option<Person>,
        /// The account of the operating system or of the server under which it was done.
        account: Option<Note>,
        /// Why.
        reason: Note,
    }
}
