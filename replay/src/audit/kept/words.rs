//! Which words for products are in use.

use super::KeptError;
use super::shelf::Shelf;
use super::world::World;
use crate::audit::evidence::Word;
use ledger::event::kinds::{
    KeysRedeemed, OrderAmended, OrderPlaced, SubscriptionObserved, SubscriptionStarted,
};
use ledger::event::{Event, Kind, KindId, Payload};
use ledger::id::Position;

/// So many uses of a word are noted; nearly always the first one is still seen.
pub(super) const USES_NOTED: usize = 16;

/// The kinds whose events use words.
pub(super) const KINDS: [KindId; 5] = [
    OrderPlaced::INFO.id,
    OrderAmended::INFO.id,
    KeysRedeemed::INFO.id,
    SubscriptionStarted::INFO.id,
    SubscriptionObserved::INFO.id,
];

/// The words that an event uses, as the evidence takes them from it.
pub(super) fn of_event(event: &Event) -> Vec<Word> {
    if let Payload::OrderPlaced(placed) = &event.payload {
        let lines = placed.lines.iter();
        lines.map(|line| Word::Ordered(line.sku.clone())).collect()
    } else if let Payload::OrderAmended(amended) = &event.payload {
        let lines = amended.lines.iter();
        lines.map(|line| Word::Ordered(line.sku.clone())).collect()
    } else if let Payload::KeysRedeemed(redeemed) = &event.payload {
        let skus = redeemed
            .effects
            .iter()
            .filter_map(|effect| effect.sku.clone());
        skus.map(Word::Shown).collect()
    } else if let Payload::SubscriptionStarted(started) = &event.payload {
        vec![Word::Shown(started.sku.clone())]
    } else if let Payload::SubscriptionObserved(observed) = &event.payload {
        let of = observed.subscription.iter();
        of.map(|_| Word::Shown(observed.sku.clone())).collect()
    } else {
        Vec::new()
    }
}

/// An event that is seen and uses a word. Costs a look at one event as a rule, and a look at all events of
/// five kinds if every one that was noted is hidden.
pub(super) fn witness(
    world: &World<'_>,
    shelf: &Shelf,
    word: &Word,
) -> Result<Option<Event>, KeptError> {
    let uses = shelf.uses(word)?;
    for at in &uses {
        if let Some(event) = seen(world, shelf, *at)? {
            return Ok(Some(event));
        }
    }
    if uses.len() < USES_NOTED {
        return Ok(None);
    }
    for kind in KINDS {
        for event in world.store.of_kind(kind, Position(0)) {
            let event = event?;
            if of_event(&event).contains(word) && seen(world, shelf, event.position)?.is_some() {
                return Ok(Some(event));
            }
        }
    }
    Ok(None)
}

fn seen(world: &World<'_>, shelf: &Shelf, at: Position) -> Result<Option<Event>, KeptError> {
    if at > world.source_end() || shelf.is_hidden(at)? {
        return Ok(None);
    }
    let event = world.store.event(at)?;
    Ok(event.filter(|event| event.occurred_at.start <= world.point.valid_at))
}
