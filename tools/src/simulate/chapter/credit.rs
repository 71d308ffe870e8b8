//! Prepaid Azure credit: lots that are activated, used, and expire or are forfeited.

use super::redemption::Redemption;
use super::{order, place};
use crate::simulate::cast::{Lot, Purpose};
use crate::simulate::outbox::{By, System};
use crate::simulate::scene::{Scene, Step};
use crate::simulate::storyline::Episode;

/// The keys of a redemption become lots, each good for twelve months from this day (R17).
pub fn activated(s: &mut Scene<'_>, r: &Redemption<'_>) {
    let today = s.today();
    let expires = today.plus_months(12, today.day_of_month());
    let existing = s.who.lots.last().map(|lot| lot.azure.clone());
    for line in &r.order.keys {
        let new = r.order.purpose == Purpose::Begin;
        let azure = existing.clone().filter(|_| !new);
        let azure = azure.unwrap_or_else(|| s.out.id("az"));
        let lot = s.out.id("lot");
        let agreement = &s.who.agreements[r.a];
        s.out
            .fact("CreditLotActivated", s.now, System::ADMIN)
            .by(r.visitor.by())
            .with(r.id)
            .policies(&["end_on_anniversary"])
            .data(|f| {
                f.text("lot", &lot)
                    .text("key", &line.key)
                    .text("tenant", r.tenant);
                f.text("azure_subscription", &azure);
                f.text("license_id", &agreement.license_id);
                f.text("redemption", r.id).text("session", r.session);
                f.flag("new_subscription", new).money("amount", line.credit);
                f.date("activated_on", today).date("expires_on", expires);
            });
        s.who.lots.push(Lot {
            id: lot,
            azure,
            left: line.credit,
            expires,
        });
        let number = place(s.who.lots.len() - 1);
        let after = s.office_hours(expires.plus_days(1));
        s.then(after, Step::CreditEnds(number));
    }
    if r.order.purpose == Purpose::Begin {
        s.then_in_days(10, 35, Step::UseCredit);
        s.then_in_days(90, 170, Step::AddSeats(place(r.a)));
        if s.who.story.episode == Episode::CreditForfeited {
            s.then_in_days(120, 200, Step::Forfeit);
        }
    }
}

/// Some credit is used, from the lot that expires first; again in a week or so.
pub fn spend(s: &mut Scene<'_>) {
    let today = s.today();
    let tenant = s.who.tenant_id();
    let live = s
        .who
        .lots
        .iter_mut()
        .filter(|lot| lot.left > 0 && lot.expires >= today);
    let Some(lot) = live.min_by(|a, b| (a.expires, &a.id).cmp(&(b.expires, &b.id))) else {
        return;
    };
    let share = i64::from(s.who.random.between(2, 8));
    let amount = match s.who.story.episode {
        // A little less every week, so that something is left at the end.
        Episode::Credit | Episode::CreditForfeited => (lot.left * share / 100).max(1),
        _ => lot.left.min(share * 900),
    };
    lot.left -= amount;
    let lot = &*lot;
    s.out
        .fact("CreditConsumed", s.now, System::AZURE)
        .by(By {
            home_tenant: Some(&tenant),
            ..By::SERVICE
        })
        .data(|f| {
            f.text("lot", &lot.id).money("amount", amount);
        });
    s.then_in_days(6, 9, Step::UseCredit);
}

/// What is left of a lot expires.
pub fn ends(s: &mut Scene<'_>, number: usize) {
    let tenant = s.who.tenant_id();
    let lot = &mut s.who.lots[number];
    let left = std::mem::take(&mut lot.left);
    if left == 0 {
        return;
    }
    s.out
        .fact("CreditExpired", s.now, System::AZURE)
        .by(By {
            home_tenant: Some(&tenant),
            ..By::SERVICE
        })
        .data(|f| {
            f.text("lot", &lot.id).money("amount", left);
        });
}

/// The customer moves to an Enterprise Agreement, and what is left is forfeited (E11).
pub fn forfeit(s: &mut Scene<'_>) {
    let tenant = s.who.tenant_id();
    for lot in s.who.lots.iter_mut().filter(|lot| lot.left > 0) {
        let left = std::mem::take(&mut lot.left);
        s.out
            .fact("CreditForfeited", s.now, System::AZURE)
            .by(By {
                home_tenant: Some(&tenant),
                ..By::VENDOR
            })
            .data(|f| {
                f.text("lot", &lot.id).money("amount", left);
                f.text("reason", "MovedToEnterprise");
            });
    }
}

/// Orders another lot for the same Azure subscription.
pub fn top_up(s: &mut Scene<'_>, a: usize) {
    if s.who.lots.iter().all(|lot| lot.left == 0) {
        return;
    }
    let hundreds = s.who.random.between(1, 10);
    order::place_order(s, a, Purpose::Add, vec![order::credit_line(hundreds)]);
    s.wait_days(1, 2);
    order::issue_keys(s, a);
    s.then_in_days(2, 8, Step::Land(place(a)));
}
