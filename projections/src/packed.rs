//! Events in little memory: for whoever has to hold many of them and looks at few at a time.
//!
//! A packed event is its stored form without ciphertext, which no fold reads, and without most of its zero
//! bytes: lengths and numbers have their full width there, so that about half of it is zeros. It is for memory
//! alone; what is kept on disk is the stored form.

use ledger::event::Event;
use ledger::event::codec::CodecError;
use ledger::event::walk::Outline;

/// So many bytes share one byte that says which of them are not zero.
const GROUP: usize = 8;

/// What is before the groups: how long they are together once they are unpacked.
const LENGTH_BYTES: usize = 4;

/// One in every byte.
const ONES: u64 = u64::from_le_bytes([1; GROUP]);
/// Every bit of every byte but the highest.
const LOW: u64 = ONES * 0x7f;

/// Which bytes of a group are not zero: bit `i` for byte `i`.
fn mask_of(group: u64) -> u8 {
    // The highest bit of each byte says whether any bit of it is set.
    let counts = ((((group & LOW) + LOW) | group) & !LOW) >> 7;
    // Gathers the lowest bits of all bytes in the topmost byte, each at a place of its own.
    counts.wrapping_mul(0x0102_0408_1020_4080).to_be_bytes()[0]
}

/// For each mask, which bytes move down by 1, by 2 and by 4 places, one move after the other, so that those that
/// count come together at the low end. A byte moves by as many places as there are zeros below it.
#[expect(
    clippy::indexing_slicing,
    reason = "the compiler evaluates it, and refuses what is out of bounds"
)]
const MOVES: [[u64; 3]; 256] = {
    let mut moves = [[0; 3]; 256];
    let mut mask = 0;
    while mask < 256 {
        let (mut byte, mut zeros) = (0, 0);
        while byte < GROUP {
            if mask >> byte & 1 == 0 {
                zeros += 1;
            } else {
                let (mut step, mut place) = (0, byte);
                while step < 3 {
                    if zeros >> step & 1 == 1 {
                        moves[mask][step] |= 0xff << (8 * place);
                        place -= 1 << step;
                    }
                    step += 1;
                }
            }
            byte += 1;
        }
        mask += 1;
    }
    moves
};

fn moves_of(mask: u8) -> [u64; 3] {
    MOVES.get(usize::from(mask)).copied().unwrap_or_default()
}

/// The bytes of a group that count, at its low end.
fn close_up(group: u64, mask: u8) -> u64 {
    let [one, two, four] = moves_of(mask);
    let group = (group & !one) | ((group & one) >> 8);
    let group = (group & !two) | ((group & two) >> 16);
    (group & !four) | ((group & four) >> 32)
}

/// The group of which these bytes count: [`close_up`] backwards. What is above the bytes that count is left out.
fn spread(counting: u64, mask: u8) -> u64 {
    let count = mask.count_ones();
    let counting = counting & (1_u64.checked_shl(8 * count).unwrap_or(0).wrapping_sub(1));
    let [one, two, four] = moves_of(mask);
    let (one_up, two_up, four_up) = (one >> 8, two >> 16, four >> 32);
    let group = (counting & !four_up) | ((counting & four_up) << 32);
    let group = (group & !two_up) | ((group & two_up) << 16);
    (group & !one_up) | ((group & one_up) << 8)
}

/// Appends the packed form of a stored event, whose outline was read. `scratch` is memory that is used again
/// and again. Costs a copy. `None` if the event is 4 GiB long.
pub fn pack(
    outline: &Outline,
    stored: &[u8],
    scratch: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Option<()> {
    scratch.clear();
    outline.write_without_sealed(stored, scratch);
    let length = u32::try_from(scratch.len()).ok()?;
    out.extend_from_slice(&length.to_le_bytes());
    scratch.resize(scratch.len().next_multiple_of(GROUP), 0);
    let (groups, _) = scratch.as_chunks::<GROUP>();
    let start = out.len();
    out.resize(start + groups.len() * (1 + GROUP), 0);
    let places = out.get_mut(start..)?;
    let mut used = 0;
    for group in groups {
        let group = u64::from_le_bytes(*group);
        let mask = mask_of(group);
        // All eight bytes are written; the next group is written over those that do not count.
        let place = places.get_mut(used..)?.first_chunk_mut::<{ 1 + GROUP }>()?;
        let [first, counting @ ..] = place;
        *first = mask;
        *counting = close_up(group, mask).to_le_bytes();
        used += 1 + usize::try_from(mask.count_ones()).ok()?;
    }
    out.truncate(start + used);
    Some(())
}

/// The stored form of the event whose packed form a slice begins with, and how much of the slice it took;
/// `None` if the slice is cut.
fn unpacked<'s>(packed: &[u8], scratch: &'s mut Vec<u8>) -> Option<(&'s [u8], usize)> {
    let (length, mut rest) = packed.split_first_chunk::<LENGTH_BYTES>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    scratch.clear();
    while scratch.len() < length {
        let (mask, bytes) = rest.split_first()?;
        let count = usize::try_from(mask.count_ones()).ok()?;
        let counting = match bytes.first_chunk::<GROUP>() {
            Some(counting) => u64::from_le_bytes(*counting),
            None => {
                let mut last = [0; GROUP];
                let own = bytes.get(..count)?;
                last.get_mut(..count)?.copy_from_slice(own);
                u64::from_le_bytes(last)
            }
        };
        rest = bytes.get(count..)?;
        scratch.extend_from_slice(&spread(counting, *mask).to_le_bytes());
    }
    let used = packed.len() - rest.len();
    Some((scratch.get(..length)?, used))
}

/// An event, if it could be decoded, and what comes after its packed form.
pub type Unpacked<'p> = (Result<Event, CodecError>, &'p [u8]);

/// The event whose packed form a slice begins with, and what comes after it; `None` if the slice is cut.
/// `scratch` is memory that is used again and again.
pub fn unpack<'p>(packed: &'p [u8], scratch: &mut Vec<u8>) -> Option<Unpacked<'p>> {
    let (stored, used) = unpacked(packed, scratch)?;
    Some((Event::decode(stored), packed.get(used..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::event::json::read_fact;
    use ledger::id::Position;
    use ledger::secret::{PublicKeyring, Sealed};
    use ledger::time::Timestamp;
    use serde_json::json;

    fn event() -> Event {
        let fact = json!({
            "kind": "UserDeprovisioned",
            "occurred_at": "2024-03-05T08:00:00Z",
            "source": { "system": "portal", "record": "s-1" },
            "data": { "tenant": "a.example", "user": "ann@a.example" }
        });
        Event {
            position: Position(0x0102_0304),
            recorded_at: Timestamp::from_micros(-7),
            fact: read_fact(&fact, &mut PublicKeyring).unwrap(),
        }
    }

    fn packed() -> Vec<u8> {
        let stored = event().encode().unwrap();
        let mut outline = Outline::default();
        outline.read(&stored).unwrap();
        let mut packed = Vec::new();
        pack(&outline, &stored, &mut Vec::new(), &mut packed).unwrap();
        packed
    }

    #[test]
    fn a_packed_event_is_what_it_was_without_what_is_sealed() {
        let one = packed();
        let whole = event().encode().unwrap();
        let lengths = (one.len(), whole.len());
        assert!(lengths.0 * 3 < lengths.1 * 2, "{lengths:?}");
        let mut stripped = event();
        stripped
            .fact
            .visit_sealed(&mut |_, sealed| *sealed = Sealed::empty([0; 16]));
        assert_ne!(stripped, event());
        let both = [&one[..], &one].concat();
        let (first, rest) = unpack(&both, &mut Vec::new()).unwrap();
        assert_eq!((first.unwrap(), rest), (stripped.clone(), &one[..]));
        let (second, rest) = unpack(rest, &mut Vec::new()).unwrap();
        assert_eq!((second.unwrap(), rest.len()), (stripped, 0));
    }

    #[test]
    fn a_group_is_closed_up_and_spread_again_whatever_counts_in_it() {
        for mask in 0..=u8::MAX {
            let counts = |byte: usize| mask >> byte & 1 == 1;
            let group: [u8; GROUP] = std::array::from_fn(|byte| {
                if counts(byte) {
                    0x81 + byte as u8 * 7
                } else {
                    0
                }
            });
            let mut closed: Vec<u8> = group.into_iter().filter(|byte| *byte != 0).collect();
            closed.resize(GROUP, 0);
            let group = u64::from_le_bytes(group);
            assert_eq!(mask_of(group), mask);
            assert_eq!(close_up(group, mask).to_le_bytes(), *closed, "{mask:08b}");
            // The bytes of the next group may follow.
            for above in [0, u64::MAX] {
                let count = mask.count_ones();
                let above = above & !1_u64.checked_shl(8 * count).unwrap_or(0).wrapping_sub(1);
                let closed = close_up(group, mask) | above;
                assert_eq!(spread(closed, mask), group, "{mask:08b}");
            }
        }
        for byte in 1..=u8::MAX {
            assert_eq!(mask_of(u64::from(byte) << 24), 1 << 3, "{byte}");
        }
    }

    #[test]
    fn a_cut_one_is_no_event() {
        let packed = packed();
        for length in 0..packed.len() {
            assert!(
                unpack(&packed[..length], &mut Vec::new()).is_none(),
                "{length}"
            );
        }
    }
}
