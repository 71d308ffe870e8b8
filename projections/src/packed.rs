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
    for group in groups {
        let mut packed = [0; 1 + GROUP];
        let (mut mask, mut count) = (0_u8, 0);
        let [_, places @ ..] = &mut packed;
        for (bit, byte) in group.iter().enumerate() {
            // Written whether or not it counts, so that nothing depends on what the byte is.
            if let Some(place) = places.get_mut(count) {
                *place = *byte;
            }
            let counts = *byte != 0;
            mask |= u8::from(counts) << bit;
            count += usize::from(counts);
        }
        let [first, ..] = &mut packed;
        *first = mask;
        out.extend_from_slice(packed.get(..=count).unwrap_or_default());
    }
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
        let (counting, after) = bytes.split_at_checked(count)?;
        rest = after;
        let mut taken = [0; GROUP];
        for (place, byte) in taken.iter_mut().zip(counting) {
            *place = *byte;
        }
        let mut group = [0; GROUP];
        let mut next = 0;
        for (bit, byte) in group.iter_mut().enumerate() {
            let counts = (mask >> bit) & 1;
            *byte = taken.get(next).copied().unwrap_or(0) * counts;
            next += usize::from(counts);
        }
        scratch.extend_from_slice(&group);
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
