//! Where the ids and the subjects of a frame that is being made are.
//!
//! Every event of a frame is put in here once and hardly ever asked for: only by an append whose event or guard
//! meets one of the same frame. So nothing is kept but hashes and numbers, and names are compared, in the entries
//! themselves, when somebody asks. Kinds are left out, because no condition is on them.

use crate::index::Listing;
use crate::index::entry::{EntryRef, HashedId};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// The number of a link that is none.
const NONE: u32 = u32::MAX;

/// The marks of some events, by their numbers in the frame.
#[derive(Debug, Default)]
pub(super) struct Marks {
    ids: HashTable<(HashedId, u32)>,
    /// The last link of the names of each hash.
    last: HashTable<(u64, u32)>,
    links: Vec<Link>,
}

/// An event that has a name of some hash, and the link of the one before it.
#[derive(Debug)]
struct Link {
    event: u32,
    before: u32,
}

impl Marks {
    /// Forgets everything, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.ids.clear();
        self.last.clear();
        self.links.clear();
    }

    /// Adds an event that comes after the others. A frame has far fewer events than there are numbers.
    pub(super) fn add(&mut self, event: u32, entry: EntryRef<'_>) {
        let id = entry.id();
        self.ids
            .insert_unique(id.hash, (id, event), |(id, _)| id.hash);
        for name in entry.names().skip(1) {
            let link = u32::try_from(self.links.len()).unwrap_or(NONE);
            let is_it = |(hash, _): &(u64, u32)| *hash == name.hash;
            let before = match self.last.entry(name.hash, is_it, |(hash, _)| *hash) {
                Entry::Occupied(mut last) => std::mem::replace(&mut last.get_mut().1, link),
                Entry::Vacant(none) => {
                    none.insert((name.hash, link));
                    NONE
                }
            };
            self.links.push(Link { event, before });
        }
    }

    /// The number of the event of an id.
    pub(super) fn event(&self, id: HashedId) -> Option<u32> {
        let found = self.ids.find(id.hash, |(other, _)| *other == id);
        found.map(|(_, event)| *event)
    }

    /// The numbers of the events that have a name of the hash of a listing, the last one first, each once. Whether
    /// it is that name is for whoever asks to find out.
    pub(super) fn events(&self, listing: &Listing) -> impl Iterator<Item = u32> {
        let hash = listing.name().hash;
        let last = self.last.find(hash, |(other, _)| *other == hash);
        let mut next = last.map_or(NONE, |(_, link)| *link);
        let mut seen = None;
        std::iter::from_fn(move || {
            loop {
                let link = self.links.get(usize::try_from(next).ok()?)?;
                next = link.before;
                if seen.replace(link.event) != Some(link.event) {
                    return Some(link.event);
                }
            }
        })
    }
}
