//! The activation email: scheduled, sent, delivered, forwarded; or bounced, suppressed, sent again.

use super::{agreement, cases, landing};
use crate::simulate::cast::{ADMINISTRATOR, MANAGER, Order, Person};
use crate::simulate::outbox::{By, System};
use crate::simulate::scene::Scene;

const SUBJECTS: &[&str] = &[
    "Sign in and activate your online services",
    "Set up your new volume licensing subscription",
    "Action required: complete your profile to set up your services",
];

/// Invites the recipient of record; somebody who administers the tenant gets the mail in the end.
pub fn invite(s: &mut Scene<'_>, a: usize) {
    schedule(s, a);
    send(s, a);
    delivered(s, a);
    forward(s, a);
}

/// Invites the recipient of record, who forwards the mail to one person after another.
pub fn invite_through(s: &mut Scene<'_>, a: usize, through: &[Person]) {
    schedule(s, a);
    send(s, a);
    delivered(s, a);
    s.wait_minutes(20, 1500);
    let recipient = s.who.agreements[a].recipient;
    let mut holders = vec![s.who.people[recipient].clone()];
    holders.extend_from_slice(through);
    forwarded(s, a, &holders);
}

fn schedule(s: &mut Scene<'_>, a: usize) {
    let who = &*s.who;
    let agreement = &who.agreements[a];
    let Some(order) = &agreement.pending else {
        return;
    };
    let rule = if agreement.open {
        "recipient-open"
    } else {
        "recipient-enterprise"
    };
    s.out
        .fact("ActivationEmailScheduled", s.now, System::PORTAL)
        .by(By::SERVICE)
        .with(&order.activation)
        .data(|f| {
            f.text("license_id", &agreement.license_id);
            f.text("order", &order.id)
                .text("activation", &order.activation);
            f.record("rule", |f| {
                f.text("name", rule).number("version", 1);
            });
            f.records(
                "candidates",
                agreement::contacts(agreement),
                |f, (role, person)| {
                    f.text("role", role).named("person", &who.people[person]);
                },
            );
            f.text("chosen_role", agreement.recipient_role);
        });
    s.wait_minutes(5, 240);
}

fn send(s: &mut Scene<'_>, a: usize) {
    let (message, link) = (s.out.id("m"), s.out.id("link"));
    let subject = s.who.random.pick(SUBJECTS);
    let expires = s.today().plus_months(6, s.today().day_of_month());
    let who = &*s.who;
    let agreement = &who.agreements[a];
    let Some(order) = &agreement.pending else {
        return;
    };
    s.out
        .fact("ActivationEmailSent", s.now, System::MAIL)
        .by(By::SERVICE)
        .with(&order.activation)
        .data(|f| {
            f.text("message", &message)
                .text("license_id", &agreement.license_id);
            f.text("order", &order.id)
                .text("activation", &order.activation);
            f.person("recipient", &who.people[agreement.recipient]);
            f.text("role", agreement.recipient_role)
                .text("subject", subject);
            f.text("link", &link).date("link_expires", expires);
        });
    remember(s, a, message, link);
}

fn remember(s: &mut Scene<'_>, a: usize, message: String, link: String) {
    if let Some(order) = &mut s.who.agreements[a].pending {
        order.mail = Some((message, link));
    }
}

fn delivered(s: &mut Scene<'_>, a: usize) {
    s.wait_minutes(1, 20);
    let Some(Order {
        activation,
        mail: Some((message, _)),
        ..
    }) = &s.who.agreements[a].pending
    else {
        return;
    };
    s.out
        .fact("ActivationEmailDelivered", s.now, System::MAIL)
        .by(By::SERVICE)
        .with(activation)
        .data(|f| {
            f.text("message", message).text("status", "250 accepted");
        });
}

/// Forwards the mail to whoever is going to act: the administrator, sometimes through a colleague,
/// or the reseller's technician.
fn forward(s: &mut Scene<'_>, a: usize) {
    let by_reseller = s.who.delegated && s.who.tenant.is_some() && s.who.random.chance(300);
    let through_colleague = s.who.random.chance(120);
    s.wait_minutes(20, 1500);
    let who = &mut *s.who;
    let recipient = who.agreements[a].recipient;
    let Some(order) = &mut who.agreements[a].pending else {
        return;
    };
    order.by_reseller = by_reseller;
    let technician = &s.channel.resellers[who.reseller].technician;
    let administrator = &who.people[ADMINISTRATOR];
    let target = if by_reseller {
        technician
    } else {
        administrator
    };
    let mut holders = vec![who.people[recipient].clone()];
    if through_colleague && recipient != MANAGER {
        holders.push(who.people[MANAGER].clone());
    }
    if by_reseller || recipient != ADMINISTRATOR {
        holders.push(target.clone());
    }
    forwarded(s, a, &holders);
}

/// Each of the holders forwards the mail to the next one.
pub fn forwarded(s: &mut Scene<'_>, a: usize, holders: &[Person]) {
    let Some(Order {
        activation,
        mail: Some((message, _)),
        ..
    }) = &s.who.agreements[a].pending
    else {
        return;
    };
    for pair in holders.windows(2) {
        s.out
            .fact("ActivationEmailForwarded", s.now, System::MAIL)
            .by(By::customer(&pair[0], None))
            .with(activation)
            .data(|f| {
                f.text("message", message);
                f.person("from", &pair[0]).person("to", &pair[1]);
            });
        s.now = s.now.plus_minutes(95);
    }
}

/// The mail comes back; the contact is changed, and somebody asks for the mail again.
pub fn bounce_and_send_again(s: &mut Scene<'_>, a: usize) {
    schedule(s, a);
    send(s, a);
    s.wait_minutes(1, 20);
    if let Some(Order {
        activation,
        mail: Some((message, _)),
        ..
    }) = &s.who.agreements[a].pending
    {
        s.out
            .fact("ActivationEmailBounced", s.now, System::MAIL)
            .by(By::SERVICE)
            .with(activation)
            .data(|f| {
                f.text("message", message)
                    .text("status", "550 mailbox unknown");
            });
    }
    s.wait_days(2, 6);
    agreement::contact_changed(s, a, "ChangeRequestForm");
    s.wait_days(1, 2);
    resend(s, a);
}

/// Sends the mail again, to the recipient of record as it is now.
pub fn resend(s: &mut Scene<'_>, a: usize) {
    let (message, link) = (s.out.id("m"), s.out.id("link"));
    let who = &*s.who;
    let agreement = &who.agreements[a];
    let Some(Order {
        activation,
        mail: Some((original, _)),
        ..
    }) = &agreement.pending
    else {
        return;
    };
    let recipient = &who.people[agreement.recipient];
    s.out
        .fact("ActivationEmailResent", s.now, System::MAIL)
        .by(By::SUPPORT)
        .with(activation)
        .data(|f| {
            f.text("message", &message).text("original", original);
            f.text("license_id", &agreement.license_id);
            f.person("requested_by", recipient)
                .person("recipient", recipient);
            f.text("role", agreement.recipient_role).text("link", &link);
        });
    remember(s, a, message, link);
    delivered(s, a);
    forward(s, a);
}

/// No mail is sent, for a reason (R7).
pub fn suppress(s: &mut Scene<'_>, a: usize, reason: &str) {
    let agreement = &s.who.agreements[a];
    let Some(order) = &agreement.pending else {
        return;
    };
    s.out
        .fact("ActivationEmailSuppressed", s.now, System::PORTAL)
        .by(By::SERVICE)
        .with(&order.activation)
        .data(|f| {
            f.text("license_id", &agreement.license_id);
            f.text("order", &order.id)
                .text("activation", &order.activation);
            f.text("reason", reason);
        });
}

/// The link of the pending order is opened in a session.
pub fn open_link(s: &mut Scene<'_>, a: usize, session: &str, by: By<'_>) {
    let network = super::session::network(s);
    let agreement = &s.who.agreements[a];
    let Some(Order {
        activation,
        mail: Some((_, link)),
        ..
    }) = &agreement.pending
    else {
        return;
    };
    s.out
        .fact("ActivationLinkOpened", s.now, System::PORTAL)
        .by(by)
        .with(activation)
        .data(|f| {
            f.text("link", link)
                .text("license_id", &agreement.license_id);
            f.text("session", session).text("network", &network);
        });
    s.wait_minutes(1, 3);
}

/// Nobody opened the link for six months; support makes it work again, and it is used at last.
pub fn link_expires(s: &mut Scene<'_>, a: usize) {
    let Some(Order {
        activation,
        mail: Some((_, link)),
        ..
    }) = s.who.agreements[a].pending.clone()
    else {
        return;
    };
    s.out
        .fact("ActivationLinkExpired", s.now, System::PORTAL)
        .by(By::SERVICE)
        .with(&activation)
        .data(|f| {
            f.text("link", &link);
        });
    s.wait_days(2, 9);
    let case = cases::open(s, "ResendMail", &[a]);
    s.wait_minutes(60, 1200);
    let expires = s.today().plus_months(1, s.today().day_of_month());
    s.out
        .fact("ActivationLinkReactivated", s.now, System::SUPPORT)
        .by(By::SUPPORT)
        .with(&activation)
        .data(|f| {
            f.text("link", &link).text("case", &case);
            f.date("link_expires", expires);
        });
    cases::close(s, &case, "Withdrawn");
    s.wait_days(1, 4);
    landing::land(s, a);
}
