//! Orders: placed, relayed along the channel, amended, cancelled, returned; their keys.

use super::{agreement, cases, mail, place};
use crate::simulate::cast::{Key, Order, Purpose};
use crate::simulate::outbox::{By, System};
use crate::simulate::scene::{Scene, Step};
use crate::simulate::storyline::{Episode, Origin};

const SUITES: &[&str] = &["O365-E3", "O365-MIDSIZE", "O365-PROPLUS", "O365-BUSINESS"];
const EXTRAS: &[&str] = &["PROJECT-ONLINE", "EXCHANGE-ONLINE-ARCHIVE", "VISIO-ONLINE"];

/// Whether Office is installed from a subscription of this.
pub fn has_office(sku: &str) -> bool {
    SUITES.contains(&sku)
}

/// The first order of an agreement, up to the mail about it.
pub fn first(s: &mut Scene<'_>, a: usize) {
    // Another agreement may want the tenant that the first one has yet to bring.
    if a > 0 && s.who.tenant.is_none() {
        s.then_in_days(14, 30, Step::FirstOrder(place(a)));
        return;
    }
    let lines = first_lines(s, a);
    place_order(s, a, Purpose::Begin, lines);
    let episode = match a {
        0 if !s.who.episode_over => s.who.story.episode,
        _ => Episode::Plain,
    };
    if episode == Episode::Cancelled {
        cancel(s, a);
    }
    s.wait_days(1, 3);
    issue_keys(s, a);
    if episode == Episode::Returned {
        s.who.episode_over = true;
        s.then_in_days(5, 40, Step::ReturnOrder(place(a)));
        return;
    }
    s.wait_days(1, 2);
    if is_automatic(s, a) {
        mail::suppress(s, a, "AutoAssigned");
        s.then_in_days(0, 1, Step::Land(place(a)));
        return;
    }
    match episode {
        Episode::Bounce => mail::bounce_and_send_again(s, a),
        Episode::MailLost => cases::mail_lost(s, a),
        Episode::LinkExpires => {
            mail::invite(s, a);
            s.then_in_days(184, 186, Step::LinkExpires(place(a)));
            return;
        }
        _ => mail::invite(s, a),
    }
    if episode == Episode::KeyLost {
        cases::key_lost(s, a);
    }
    if episode == Episode::CredentialsLost {
        cases::credentials_lost(s);
    }
    s.then_in_days(1, 15, Step::Land(place(a)));
}

/// Whether services of an agreement reach the tenant without a choice (E2 a).
pub fn is_automatic(s: &Scene<'_>, a: usize) -> bool {
    let agreement = &s.who.agreements[a];
    !agreement.open && s.who.story.origin == Origin::Automatic
}

fn first_lines(s: &mut Scene<'_>, a: usize) -> Vec<Key> {
    let random = &mut s.who.random;
    if s.who.agreements[a].credit {
        return vec![credit_line(random.between(1, 10))];
    }
    let mut seats = random.between(3, 10);
    if random.chance(200) {
        seats += random.between(4, 20);
    }
    let suite = random.pick(SUITES);
    let mut lines = Vec::new();
    if s.who.agreements[a].open && random.chance(250) {
        lines.push(line(random.key(), suite, seats / 2));
        seats -= seats / 2;
    }
    lines.push(line(random.key(), suite, seats));
    if random.chance(200) {
        lines.push(line(
            random.key(),
            random.pick(EXTRAS),
            random.between(2, 6),
        ));
    }
    lines
}

/// A line of seats.
pub fn line(key: String, sku: &'static str, seats: u32) -> Key {
    Key {
        key,
        sku,
        seats,
        credit: 0,
    }
}

/// A line of Azure credit: so many hundred dollars. The key is drawn when it is issued.
pub fn credit_line(hundreds: u32) -> Key {
    Key {
        key: String::new(),
        sku: "AZURE-CREDIT",
        seats: 0,
        credit: i64::from(hundreds) * 10_000,
    }
}

/// Places an order under an agreement; it is pending until it lands.
pub fn place_order(s: &mut Scene<'_>, a: usize, purpose: Purpose, lines: Vec<Key>) {
    begin_order(s, a, purpose, lines);
    let names_tenant = s.who.random.chance(400);
    announce(s, a, names_tenant);
}

/// Places an order that names the customer's tenant, or none.
pub fn place_order_for(
    s: &mut Scene<'_>,
    a: usize,
    purpose: Purpose,
    lines: Vec<Key>,
    names_tenant: bool,
) {
    begin_order(s, a, purpose, lines);
    announce(s, a, names_tenant);
}

fn begin_order(s: &mut Scene<'_>, a: usize, purpose: Purpose, lines: Vec<Key>) {
    let order = Order {
        id: s.out.id("PO"),
        activation: s.out.id("act"),
        purpose,
        keys: lines,
        record: 0,
        placed: s.today(),
        mail: None,
        by_reseller: false,
    };
    s.who.agreements[a].pending = Some(order);
}

fn announce(s: &mut Scene<'_>, a: usize, names_tenant: bool) {
    let purpose = s.who.agreements[a].pending.as_ref().map(|o| o.purpose);
    placed(s, a, names_tenant);
    relayed(s, a);
    if purpose == Some(Purpose::Begin) && s.who.random.chance(60) {
        amended(s, a, names_tenant);
    }
}

fn placed(s: &mut Scene<'_>, a: usize, names_tenant: bool) {
    let who = &*s.who;
    let agreement = &who.agreements[a];
    let Some(order) = &agreement.pending else {
        return;
    };
    let reseller = &s.channel.resellers[who.reseller];
    let distributor = s.channel.distributor_of(who.reseller);
    let usage = s.now.date();
    let record = s
        .out
        .fact("OrderPlaced", s.now, System::ORDERS)
        .by(By::company(
            "Partner",
            &reseller.id,
            Some(&reseller.technician),
        ))
        .with(&order.activation)
        .data(|f| {
            f.text("order", &order.id);
            f.text("license_id", &agreement.license_id);
            f.text("activation", &order.activation);
            f.text("program", agreement.program);
            lines(f, order);
            f.text("placed_by", "Partner").text("partner", &reseller.id);
            f.text("distributor", &distributor.id);
            f.text("end_customer", &who.id);
            f.maybe(
                "intended_tenant",
                who.tenant.as_deref().filter(|_| names_tenant),
            );
            f.date("usage_date", usage);
            f.records(
                "contacts",
                agreement::contacts(agreement),
                |f, (role, person)| {
                    f.text("role", role).named("person", &who.people[person]);
                },
            );
        });
    if let Some(order) = &mut s.who.agreements[a].pending {
        order.record = record;
    }
}

fn lines(f: &mut crate::simulate::line::Fields<'_>, order: &Order) {
    f.records("lines", &order.keys, |f, line| {
        f.text("sku", line.sku);
        if line.credit > 0 {
            f.text("kind", "AzureCredit").money("amount", line.credit);
        } else {
            f.text("kind", "Seats").number("seats", line.seats);
        }
        f.number("term_months", 12);
    });
}

fn relayed(s: &mut Scene<'_>, a: usize) {
    let who = &*s.who;
    let Some(order) = &who.agreements[a].pending else {
        return;
    };
    let reseller = &s.channel.resellers[who.reseller];
    let distributor = s.channel.distributor_of(who.reseller);
    s.out
        .fact("OrderRelayed", s.now, System::DISTRIBUTION)
        .by(By::company(
            "Distributor",
            &distributor.id,
            Some(&distributor.technician),
        ))
        .with(&order.activation)
        .data(|f| {
            f.text("order", &order.id);
            f.text("from", &reseller.id).text("to", &distributor.id);
        });
}

fn amended(s: &mut Scene<'_>, a: usize, names_tenant: bool) {
    if let Some(line) = s.who.agreements[a]
        .pending
        .as_mut()
        .and_then(|o| o.keys.first_mut())
    {
        line.seats += u32::from(line.credit == 0);
    }
    s.wait_days(1, 1);
    let who = &*s.who;
    let agreement = &who.agreements[a];
    let Some(order) = &agreement.pending else {
        return;
    };
    let reseller = &s.channel.resellers[who.reseller];
    s.out
        .fact("OrderAmended", s.now, System::ORDERS)
        .by(By::company(
            "Partner",
            &reseller.id,
            Some(&reseller.technician),
        ))
        .with(&order.activation)
        .data(|f| {
            f.text("order", &order.id);
            lines(f, order);
            f.maybe(
                "intended_tenant",
                who.tenant.as_deref().filter(|_| names_tenant),
            );
            f.records(
                "contacts",
                agreement::contacts(agreement),
                |f, (role, person)| {
                    f.text("role", role).named("person", &who.people[person]);
                },
            );
        });
}

/// Issues the keys of a pending order, where the program has keys.
pub fn issue_keys(s: &mut Scene<'_>, a: usize) {
    if !s.who.agreements[a].open {
        return;
    }
    let expires = s.today().plus_months(60, s.today().day_of_month());
    if let Some(order) = &mut s.who.agreements[a].pending {
        for line in order.keys.iter_mut().filter(|line| line.key.is_empty()) {
            line.key = s.who.random.key();
        }
    }
    let agreement = &s.who.agreements[a];
    let Some(order) = &agreement.pending else {
        return;
    };
    for (number, line) in (1_u32..).zip(&order.keys) {
        s.out
            .fact("KeyIssued", s.now, System::ORDERS)
            .by(By::VENDOR)
            .with(&order.activation)
            .because_of(order.record)
            .data(|f| {
                f.text("key", &line.key).text("order", &order.id);
                f.number("line", number);
                f.text("license_id", &agreement.license_id);
                if line.credit > 0 {
                    f.money("amount", line.credit).date("expires_on", expires);
                } else {
                    f.number("seats", line.seats);
                }
            });
    }
}

/// Cancels the pending order before it has keys, and places it again.
fn cancel(s: &mut Scene<'_>, a: usize) {
    s.wait_days(1, 3);
    let who = &*s.who;
    let Some(order) = &who.agreements[a].pending else {
        return;
    };
    let reseller = &s.channel.resellers[who.reseller];
    s.out
        .fact("OrderCancelled", s.now, System::ORDERS)
        .by(By::company(
            "Partner",
            &reseller.id,
            Some(&reseller.technician),
        ))
        .with(&order.activation)
        .data(|f| {
            f.text("order", &order.id);
        });
    let lines = order.keys.clone();
    s.wait_days(1, 5);
    place_order(s, a, Purpose::Begin, lines);
}

/// The whole order goes back along the chain within 60 days (P14); another one follows.
pub fn give_back(s: &mut Scene<'_>, a: usize) {
    let who = &*s.who;
    let Some(order) = &who.agreements[a].pending else {
        return;
    };
    let days = s.now.date().days_since(order.placed);
    let distributor = s.channel.distributor_of(who.reseller);
    s.out
        .fact("OrderReturned", s.now, System::DISTRIBUTION)
        .by(By::company(
            "Distributor",
            &distributor.id,
            Some(&distributor.technician),
        ))
        .with(&order.activation)
        .data(|f| {
            f.text("order", &order.id);
            f.flag("whole", true).number("within_days", days);
        });
    s.then_in_days(3, 12, Step::FirstOrder(place(a)));
}
