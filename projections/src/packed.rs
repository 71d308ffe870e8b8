//! Events in little memory: for whoever has to hold many of them and looks at few at a time.
//!
//! A packed event is its stored form without ciphertext, which no fold reads, and without most of its zero
//! bytes: lengths and numbers have their full width there, so that about half of it is zeros. It is for memory
//! alone; what is kept on disk is the stored form.

use ledger::event::Event;
use ledger::secret::Sealed;

/// So many bytes share one byte that says which of them are not zero.
const GROUP: usize = 8;

/// Appends the packed form of an event to a buffer, and takes its ciphertext away. `None` if the event
/// cannot be encoded, which no event that was read from a log is.
pub fn pack(event: &mut Event, out: &mut Vec<u8>) -> Option<()> {
    event
        .fact
        .visit_sealed(&mut |_, sealed| *sealed = Sealed::empty([0; 16]));
    let stored = event.encode().ok()?;
    let length = u32::try_from(stored.len()).ok()?;
    out.extend_from_slice(&length.to_le_bytes());
    for group in stored.chunks(GROUP) {
        let at = out.len();
        out.push(0);
        let mut mask = 0_u8;
        for (bit, byte) in group.iter().enumerate() {
            if *byte != 0 {
                mask |= 1 << bit;
                out.push(*byte);
            }
        }
        if let Some(place) = out.get_mut(at) {
            *place = mask;
        }
    }
    Some(())
}

/// The event whose packed form a slice begins with; what comes after it is not looked at. `scratch` is
/// memory that is used again and again.
pub fn unpack(packed: &[u8], scratch: &mut Vec<u8>) -> Option<Event> {
    let (length, mut rest) = packed.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    scratch.clear();
    while scratch.len() < length {
        let (mask, bytes) = rest.split_first()?;
        let count = usize::try_from(mask.count_ones()).ok()?;
        let (mut bytes, after) = bytes.split_at_checked(count)?;
        rest = after;
        let mut group = [0; GROUP];
        for (bit, byte) in group.iter_mut().enumerate() {
            if mask & (1 << bit) != 0
                && let Some((first, others)) = bytes.split_first()
            {
                *byte = *first;
                bytes = others;
            }
        }
        scratch.extend_from_slice(&group);
    }
    Event::decode(scratch.get(..length)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::event::json::read_fact;
    use ledger::id::Position;
    use ledger::secret::PublicKeyring;
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

    #[test]
    fn a_packed_event_is_what_it_was_without_ciphertext() {
        let mut packed = Vec::new();
        let mut stripped = event();
        pack(&mut stripped, &mut packed).unwrap();
        assert_eq!(unpack(&packed, &mut Vec::new()).unwrap(), stripped);
        assert_eq!(stripped.fact.content(), stripped.fact);
        let whole = event().encode().unwrap();
        let lengths = (packed.len(), whole.len());
        assert!(lengths.0 * 3 < lengths.1 * 2, "{lengths:?}");
        let one = packed.len();
        pack(&mut event(), &mut packed).unwrap();
        let second = unpack(&packed[one..], &mut Vec::new()).unwrap();
        assert_eq!(second, stripped);
    }

    #[test]
    fn a_cut_one_is_no_event() {
        let mut packed = Vec::new();
        pack(&mut event(), &mut packed).unwrap();
        for length in 0..packed.len() {
            assert_eq!(unpack(&packed[..length], &mut Vec::new()), None, "{length}");
        }
    }
}
