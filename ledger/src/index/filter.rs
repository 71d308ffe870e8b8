//! A filter that tells at once that an id is not in a run, most of the time that it is not.
//!
//! Every append asks for ids that nearly always are new, so without it an append would cost a
//! look-up in every run. Runs that were written by this process have one; others are looked up.

use crate::id::EventId;

/// Bits an id: with four probes, about one absent id in 400 is looked up in vain.
const BITS_PER_ID: usize = 16;

/// A Bloom filter over event ids, which are evenly spread as keyed digests are. An id that is not
/// costs time, never correctness. Takes two bytes an id.
#[derive(Debug)]
pub(crate) struct IdFilter {
    words: Vec<u64>,
}

impl IdFilter {
    /// The filter of some ids.
    pub(crate) fn of(ids: impl ExactSizeIterator<Item = EventId>) -> Self {
        let words = (ids.len() * BITS_PER_ID).div_ceil(64).max(1);
        let mut filter = Self {
            words: vec![0; words],
        };
        for id in ids {
            for (word, bit) in probes(id, words) {
                if let Some(word) = filter.words.get_mut(word) {
                    *word |= bit;
                }
            }
        }
        filter
    }

    /// Whether the id may be one of them; if not, it certainly is none.
    pub(crate) fn may_hold(&self, id: EventId) -> bool {
        probes(id, self.words.len()).all(|(word, bit)| {
            let word = self.words.get(word).copied().unwrap_or(u64::MAX);
            word & bit != 0
        })
    }
}

/// Four places in a filter of so many words: the number of a word, and a bit of it.
fn probes(id: EventId, words: usize) -> impl Iterator<Item = (usize, u64)> {
    let (quarters, _) = id.0.as_chunks::<4>();
    let quarters: [[u8; 4]; 4] = quarters.try_into().unwrap_or_default();
    quarters.into_iter().map(move |quarter| {
        let number = u32::from_le_bytes(quarter);
        let bit = 1 << (number & 63);
        let word = usize::try_from(number >> 6).unwrap_or(0) % words.max(1);
        (word, bit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> EventId {
        let hash = blake3::hash(&number.to_le_bytes());
        EventId(*hash.as_bytes().first_chunk().unwrap())
    }

    #[test]
    fn every_id_may_be_held_and_few_others_may() {
        let filter = IdFilter::of((0..10_000_u32).map(id).collect::<Vec<_>>().into_iter());
        assert!((0..10_000).all(|number| filter.may_hold(id(number))));
        let others = (10_000..20_000).filter(|number| filter.may_hold(id(*number)));
        assert!(others.count() < 100);
        assert!(!IdFilter::of(std::iter::empty()).may_hold(id(1)));
    }
}
