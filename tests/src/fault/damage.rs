//! Damage to a store that nobody has open.

use super::trial::Trial;

/// Sled's files become an old copy, empty or garbage, or go away.
pub fn old_files(_trial: &mut Trial<'_>) {}

/// Bytes rot, pages and tails are lost, files go away.
pub fn damage(_trial: &mut Trial<'_>) {}
