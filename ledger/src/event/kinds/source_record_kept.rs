use crate::event::event_kind;
use crate::id::Name;

event_kind! {
    /// A record that no event kind fits was kept by its digest.
    SourceRecordKept = 1202, version 1, rank 12020, source "section A" {
        /// Its format.
        format: Name,
        /// BLAKE3 of the record.
        digest: Name,
        /// Why no event was made of it.
        reason: Name,
    }
}
