use crate::event::event_kind;
use crate::event::field::Count;
use crate::event::part::ImportedFile;
use crate::id::Name;

event_kind! {
    /// An import took sources in.
    ImportRecorded = 1201, version 1, rank 12010, source "DESIGN section 4" {
        /// What was read.
        files: Vec<ImportedFile>,
        /// Records that were read.
        read: Count,
        /// Records that were new.
        appended: Count,
        /// Records that were known already.
        known: Count,
        /// Records that could not be read and were left out.
        refused: Count,
        /// The importer.
        importer: Name,
    }
}
