use crate::event::event_kind;
use crate::event::field::Count;
use crate::event::protected::{Note, Person};
use crate::id::Name;
use crate::secret::PersonId;

event_kind! {
    /// Somebody looked at what is sealed. It is recorded before anything is shown.
    PersonalDataRevealed = 1303, version 1, rank 13030, source "DESIGN section 4" {
        /// What was asked for.
        request: Name,
        /// Whose data it was.
        persons: Vec<PersonId>,
        /// How many sealed values were opened.
        values: Count,
        /// Who looked.
        by: Option<Person>,
        /// The account of the operating system or of the server under which it was done.
        account: Option<Note>,
        /// Why.
        reason: Note,
    }
}
