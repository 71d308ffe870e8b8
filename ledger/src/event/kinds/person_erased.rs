use crate::event::event_kind;
use crate::event::protected::{Note, Person, SealOwner};
use crate::id::Name;
use crate::secret::PersonId;

event_kind! {
    /// A person was erased: the keys that opened what was sealed about the person are destroyed.
    PersonErased = 1301, version 1, rank 13010, source "DESIGN section 4" {
        /// Whom.
        person: PersonId,
        /// The other pseudonyms of the same person.
        also: Vec<PersonId>,
        /// Machines, IP addresses and notes whose keys were destroyed as well.
        owners: Vec<SealOwner>,
        /// Who did it.
        by: Option<Person>,
        /// The account of the operating system or of the server under which it was done.
        account: Option<Note>,
        /// Why. It may not name the person, so it stands in clear.
        reason: Name,
    }
}
