//! What an event was, in a few words and without secrets.

use ledger::event::{Event, Payload};
use ledger::id::Seats;
use ledger::subject::{Subject, SubjectKind};

/// How much of a pseudonym is shown.
const PSEUDONYM_SHOWN: usize = 8;

/// A subject for people: keys by their last five characters, pseudonyms cut.
pub fn name(subject: &Subject) -> String {
    let id = subject.id.as_str();
    match subject.kind {
        SubjectKind::Key => format!("key:…{}", id.rsplit('-').next().unwrap_or_default()),
        SubjectKind::Person | SubjectKind::Seat => {
            let cut = id.get(..PSEUDONYM_SHOWN).unwrap_or(id);
            format!("{}:{cut}", subject.kind.name())
        }
        _ => subject.to_string(),
    }
}

/// `KeysRedeemed` as `keys redeemed`, and what is good to know about it.
pub fn describe(event: &Event) -> String {
    let plain = plain(event.kind().name);
    match detail(event) {
        Some(detail) => format!("{plain}: {detail}"),
        None => plain,
    }
}

/// Sources can claim more seats than a count of them holds.
fn sum(seats: impl Iterator<Item = Seats>) -> u64 {
    seats.map(|Seats(seats)| u64::from(seats)).sum()
}

fn plain(kind: &str) -> String {
    let mut words = String::new();
    for letter in kind.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

fn detail(event: &Event) -> Option<String> {
    let payload = &event.payload;
    if let Payload::KeysRedeemed(redeemed) = payload {
        let seats = sum(redeemed.keys.iter().filter_map(|key| key.seats));
        let mode = redeemed.mode.as_str();
        Some(format!("{seats} seats, {mode}, in {}", redeemed.tenant))
    } else if let Payload::RedemptionReversed(reversed) = payload {
        let removed = sum(reversed.effects.iter().map(|effect| effect.seats_removed));
        Some(format!("{}, {removed} seats removed", reversed.redemption))
    } else if let Payload::KeyReissued(reissued) = payload {
        Some(format!(
            "…{} in place of …{}",
            reissued.new_key.last5, reissued.old_key.last5
        ))
    } else if let Payload::KeyRejected(rejected) = payload {
        Some(rejected.code.as_str().to_owned())
    } else if let Payload::OrderPlaced(placed) = payload {
        let seats = sum(placed.lines.iter().filter_map(|line| line.seats));
        Some(format!("{seats} seats under {}", placed.license_id))
    } else if let Payload::SubscriptionStarted(started) = payload {
        Some(format!("{}, {} seats", started.subscription, started.seats))
    } else if let Payload::SeatsAdded(added) = payload {
        Some(format!("{} to {}", added.added, added.subscription))
    } else if let Payload::LicensesAssigned(given) = payload {
        Some(format!("{} to {} users", given.sku, given.users.len()))
    } else if let Payload::LicensesUnassigned(taken) = payload {
        Some(format!("{} from {} users", taken.sku, taken.users.len()))
    } else if let Payload::ServicesBoundToTenant(bound) = payload {
        Some(format!("{}, {}", bound.tenant, bound.basis.as_str()))
    } else if let Payload::ServicesAutoAssigned(bound) = payload {
        Some(bound.tenant.to_string())
    } else if let Payload::TenantRemapped(remapped) = payload {
        let first = remapped.moves.first()?;
        let count = remapped.moves.len();
        Some(format!(
            "{count} agreements, {} to {}",
            first.from, first.to
        ))
    } else if let Payload::SessionStarted(started) = payload {
        Some(format!("{}, {}", started.session, started.auth.as_str()))
    } else if let Payload::CaseOpened(opened) = payload {
        Some(format!("{}, {}", opened.case, opened.purpose.as_str()))
    } else {
        None
    }
}
