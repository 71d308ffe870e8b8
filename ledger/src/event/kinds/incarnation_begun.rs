use crate::event::event_kind;
use crate::event::field::Count;
use crate::event::word::IncarnationCause;
use crate::id::{Name, Position};

event_kind! {
    /// The store was made anew from what was left of it or from a backup, and goes on from here.
    IncarnationBegun = 1203, version 1, rank 12030, source "DESIGN section 6" {
        /// Which incarnation begins; that of a new store is the first.
        incarnation: Count,
        /// How it came to be.
        cause: IncarnationCause,
        /// The last position of the incarnation before, as far as that is known.
        reached: Position,
        /// How many positions up to there have lost their event.
        lost: Position,
        /// What whoever did it has to say.
        note: Option<Name>,
    }
}
