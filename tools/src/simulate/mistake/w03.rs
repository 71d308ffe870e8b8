//! W3, somebody redeems who is no contact, was forwarded nothing and holds no role: a breach on the
//! person (invariant 5), whichever tenant it is.

use super::lines::{Lines, need};
use super::set::{self, Way};
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::chapter::mail;
use crate::simulate::chapter::session::Visitor;
use crate::simulate::label::{Need, Subject};
use crate::simulate::outbox::{By, System};
use crate::simulate::scene::Scene;
use crate::simulate::cast::Person;

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 3,
    name: "redeemed by somebody without authority over the agreement",
    wrong: &[
        Act {
            name: "an administrator whom nobody asked types the keys, in the right tenant",
            also: &[],
            play: uninvited,
            needs: nobody_asked,
        },
        Act {
            name: "a stranger redeems in a tenant that he administers",
            also: &[2, 5, 9, 20],
            play: stranger,
            needs: nobody_asked,
        },
        Act {
            name: "a partner that is not on the order redeems for a customer of its own",
            also: &[2, 5, 7, 9, 20],
            play: another_partner,
            needs: nobody_asked,
        },
    ],
    alike: &[
        Act {
            name: "the forward to the redeemer is recorded weeks later",
            also: &[],
            play: |stage| invited(stage, Invitation::ForwardedLate),
            needs: may_redeem,
        },
        Act {
            name: "the redeemer holds a role on the agreement",
            also: &[],
            play: |stage| invited(stage, Invitation::Role),
            needs: may_redeem,
        },
        Act {
            name: "the mail went to a shared mailbox, which nothing in the record says",
            also: &[],
            play: |stage| invited(stage, Invitation::SharedMailbox),
            needs: may_redeem,
        },
        Act {
            name: "the redeemer is the recipient under another address, which nothing says",
            also: &[],
            play: |stage| invited(stage, Invitation::Alias),
            needs: may_redeem,
        },
    ],
};

enum Invitation {
    ForwardedLate,
    Role,
    SharedMailbox,
    Alias,
}

/// Orders, mails the administrator, and has a person with the tenant's role redeem at home.
fn redeemed_by(
    s: &mut Scene<'_>,
    person: &Person,
    prepare: impl FnOnce(&mut Scene<'_>, usize),
) -> Option<Told> {
    let tenant = s.who.tenant_id();
    set::given_role(s, &tenant, person, "GlobalAdministrator", None);
    s.wait_days(1, 4);
    let a = stage::ordered_again(s, true);
    prepare(s, a);
    s.wait_days(1, 3);
    let visitor = Visitor::from_elsewhere(person, Some(&tenant));
    let session = set::session(s, a, &visitor, &tenant, "Interactive");
    let way = Way {
        visitor: &visitor,
        session: &session,
        tenant: &tenant,
        flow: "Prepopulated",
    };
    let about = set::redeem(s, a, &way)?;
    set::used(s, a, &tenant);
    Some(Told::only(about))
}

/// The mail went to the administrator; a colleague, who administers the tenant too, did not get it.
fn uninvited(stage: &mut Stage<'_>) -> Option<Told> {
    let mut who = stage.settled(true);
    let tenant = who.tenant_id();
    stage.with(&mut who, |s| {
        let person = set::employee(s);
        set::given_role(s, &tenant, &person, "GlobalAdministrator", None);
        let visitor = Visitor::from_elsewhere(&person, Some(&tenant));
        let told = by_hand(s, &visitor, &tenant)?;
        let a = s.who.agreements.len() - 1;
        set::used(s, a, &tenant);
        Some(told)
    })
}

fn stranger(stage: &mut Stage<'_>) -> Option<Told> {
    let mut who = stage.settled(true);
    let other = stage.other();
    stage.with(&mut who, |s| {
        let person = set::outsider(s);
        set::given_role(s, &other.tenant, &person, "GlobalAdministrator", None);
        let visitor = Visitor::from_elsewhere(&person, Some(&other.tenant));
        by_hand(s, &visitor, &other.tenant)
    })
}

fn another_partner(stage: &mut Stage<'_>) -> Option<Told> {
    let mut who = stage.settled(true);
    let other = stage.other();
    let partner = stage.another_partner();
    stage.with(&mut who, |s| {
        set::delegated(s, &other.tenant, partner);
        by_hand(s, &Visitor::technician_of(partner), &other.tenant)
    })
}

/// Somebody types the keys, without the mail that went to the administrator.
fn by_hand(s: &mut Scene<'_>, visitor: &Visitor, tenant: &str) -> Option<Told> {
    s.wait_days(1, 4);
    let a = stage::ordered_again(s, true);
    stage::mailed(s, a);
    s.who.agreements[a].pending.as_mut()?.mail = None;
    let session = set::session(s, a, visitor, tenant, "Interactive");
    let way = Way {
        visitor,
        session: &session,
        tenant,
        flow: "ManualEntry",
    };
    set::redeem(s, a, &way).map(Told::only)
}

fn invited(stage: &mut Stage<'_>, how: Invitation) -> Option<Told> {
    let mut who = stage.settled(true);
    stage.with(&mut who, |s| {
        let person = set::employee(s);
        let invited = person.clone();
        redeemed_by(s, &person, |s, a| match how {
            Invitation::ForwardedLate => {
                let administrator = set::administrator(s);
                mail::invite_through(s, a, &[administrator]);
                forwarded_late(s, a, &invited);
            }
            Invitation::Role => {
                given_redeeming_role(s, a, &invited);
                stage::mailed(s, a);
            }
            Invitation::SharedMailbox => {
                let shared = Person {
                    name: "IT Administration".to_owned(),
                    address: format!("it-admin@{}", s.who.domain),
                };
                mail::invite_through(s, a, &[shared]);
            }
            Invitation::Alias => stage::mailed(s, a),
        })
    })
}

/// The trace of mail tells the forward only when somebody asks for it.
fn forwarded_late(s: &mut Scene<'_>, a: usize, to: &Person) {
    let from = set::administrator(s);
    let Some(order) = set::pending(s, a) else { return };
    let Some((message, _)) = order.mail else { return };
    let asked = s.now.plus_days(25);
    s.out
        .fact("ActivationEmailForwarded", s.now, System::MAIL)
        .by(By::customer(&from, None))
        .with(&order.activation)
        .known_at(asked)
        .data(|f| {
            f.text("message", &message);
            f.person("from", &from).person("to", to);
        });
}

fn given_redeeming_role(s: &mut Scene<'_>, a: usize, person: &Person) {
    let by = set::administrator(s);
    let license_id = &s.who.agreements[a].license_id;
    s.out
        .fact("VlRoleAssigned", s.now, System::ADMIN)
        .by(By::customer(&by, s.who.tenant.as_deref()))
        .data(|f| {
            f.text("license_id", license_id).person("user", person);
            f.text("role", "ProductKeysReader").person("by", &by);
        });
}

fn nobody_asked(lines: &Lines, about: &Subject) -> Vec<Need> {
    let redeemer = lines.redeemer(about);
    vec![
        lines.landed(about),
        need(
            "a redeemer without authority",
            redeemer.is_some_and(|person| !lines.may_redeem(about, person)),
        ),
    ]
}

fn may_redeem(lines: &Lines, about: &Subject) -> Vec<Need> {
    let redeemer = lines.redeemer(about);
    vec![need(
        "what gives the redeemer authority",
        redeemer.is_some_and(|person| lines.may_redeem(about, person)),
    )]
}
