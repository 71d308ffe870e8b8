use crate::event::event_kind;
use crate::event::protected::Person;
use crate::id::{Name, SessionId};

event_kind! {
    /// Somebody entered a company profile at the portal.
    ProfileEntered = 504, version 1, rank 5040, source "S0 step 3; W20" {
        /// In which session.
        session: SessionId,
        /// Who.
        person: Option<Person>,
        /// The company as entered.
        company: Name,
        /// The country as entered, ISO 3166.
        country: Option<Name>,
    }
}
