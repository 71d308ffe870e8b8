//! W1, cached credentials: one session is used for the agreements of two customers, and the second
//! one lands where the first one should.

use super::lines::{Lines, need};
use super::set::{self, Way};
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::cast::{Customer, Purpose};
use crate::simulate::chapter::session::{self, Visitor};
use crate::simulate::chapter::{agreement, mail};
use crate::simulate::label::{Need, Subject};

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 1,
    name: "one session for the agreements of two customers",
    wrong: &[
        Act {
            name: "the technician stays signed in to the customer before",
            also: &[2, 5, 7],
            play: same_session,
            needs: two_customers,
        },
        Act {
            name: "a second session derives from the first one's authentication",
            also: &[2, 5, 7],
            play: same_root,
            needs: one_root,
        },
    ],
    alike: &[
        Act {
            name: "one customer, two agreements, one tenant, one session",
            also: &[],
            play: one_customer,
            needs: |_, _| Vec::new(),
        },
        Act {
            name: "an importer gives two sessions the same id, months apart",
            also: &[],
            play: reused_id,
            needs: |_, _| Vec::new(),
        },
    ],
};

/// Orders an agreement of each customer, both mailed on to the technician.
fn two_orders(stage: &mut Stage<'_>) -> (Customer, Customer) {
    let mut first = stage.settled(true);
    let mut second = stage.settled(true);
    for who in [&mut first, &mut second] {
        stage.with(who, |s| {
            let partner = &s.channel.resellers[s.who.reseller];
            set::delegated(s, &s.who.tenant_id(), partner);
            s.wait_days(1, 3);
            let a = stage::ordered_again(s, true);
            mail::invite_through(s, a, std::slice::from_ref(&partner.technician));
            s.wait_days(1, 2);
        });
    }
    (first, second)
}

fn lands(
    stage: &mut Stage<'_>,
    who: &mut Customer,
    tenant: &str,
    session: &str,
) -> Option<Subject> {
    stage.with(who, |s| {
        let visitor = Visitor::technician(s);
        let way = Way {
            visitor: &visitor,
            session,
            tenant,
            flow: "Prepopulated",
        };
        set::redeem(s, 1, &way)
    })
}

fn same_session(stage: &mut Stage<'_>) -> Option<Told> {
    let (mut first, mut second) = two_orders(stage);
    let tenant = first.tenant_id();
    let session = stage.with(&mut first, |s| {
        let visitor = Visitor::technician(s);
        set::session(s, 1, &visitor, &tenant, "Delegated")
    });
    let right = lands(stage, &mut first, &tenant, &session)?;
    let wrong = lands(stage, &mut second, &tenant, &session)?;
    Some(Told {
        subject: wrong,
        beside: vec![(right, &[1])],
    })
}

fn same_root(stage: &mut Stage<'_>) -> Option<Told> {
    let (mut first, mut second) = two_orders(stage);
    let tenant = first.tenant_id();
    let sign_in = |stage: &mut Stage<'_>, who: &mut Customer, id: &str, root: &str, auth: &str| {
        stage.with(who, |s| {
            let visitor = Visitor::technician(s);
            let license_id = s.who.agreements[1].license_id.clone();
            let ids = (id, root);
            session::started(s, &visitor, ids, Some(&tenant), Some(&license_id), auth);
        });
    };
    let ids = stage.with(&mut first, |s| [s.out.id("s"), s.out.id("root"), s.out.id("s")]);
    let [one, root, two] = ids;
    sign_in(stage, &mut first, &one, &root, "Interactive");
    let right = lands(stage, &mut first, &tenant, &one)?;
    sign_in(stage, &mut second, &two, &root, "SingleSignOn");
    let wrong = lands(stage, &mut second, &tenant, &two)?;
    Some(Told {
        subject: wrong,
        beside: vec![(right, &[1])],
    })
}

fn one_customer(stage: &mut Stage<'_>) -> Option<Told> {
    let mut who = stage.settled(true);
    let tenant = who.tenant_id();
    stage.with(&mut who, |s| {
        for _ in 0..2 {
            let a = agreement::sign(s, true, false);
            s.wait_days(1, 2);
            let lines = stage::suite(s);
            stage::ordered(s, a, Purpose::Begin, lines, true);
            stage::mailed(s, a);
        }
        let visitor = Visitor::administrator(s);
        let session = set::session(s, 1, &visitor, &tenant, "Interactive");
        let way = Way {
            visitor: &visitor,
            session: &session,
            tenant: &tenant,
            flow: "Prepopulated",
        };
        let first = set::redeem(s, 1, &way)?;
        let second = set::redeem(s, 2, &way)?;
        set::used(s, 1, &tenant);
        set::used(s, 2, &tenant);
        Some(Told {
            subject: second,
            beside: vec![(first, &[])],
        })
    })
}

fn reused_id(stage: &mut Stage<'_>) -> Option<Told> {
    let session = {
        let mut nobody = stage.stranger();
        stage.with(&mut nobody, |s| s.out.id("s"))
    };
    let mut both = Vec::new();
    for _ in 0..2 {
        let mut who = stage.settled(true);
        let tenant = who.tenant_id();
        let about = stage.with(&mut who, |s| {
            s.wait_days(30, 40);
            let a = stage::ordered_again(s, true);
            stage::mailed(s, a);
            let visitor = Visitor::administrator(s);
            let root = s.out.id("root");
            let ids = (session.as_str(), root.as_str());
            let license_id = s.who.agreements[a].license_id.clone();
            let here = Some(tenant.as_str());
            session::started(s, &visitor, ids, here, Some(&license_id), "Interactive");
            let way = Way {
                visitor: &visitor,
                session: &session,
                tenant: &tenant,
                flow: "Prepopulated",
            };
            let about = set::redeem(s, a, &way);
            session::close(s, &visitor, &session, "AfterAgreement");
            about
        })?;
        both.push(about);
    }
    let second = both.pop()?;
    let beside = both.into_iter().map(|first| (first, &[][..])).collect();
    Some(Told {
        subject: second,
        beside,
    })
}

fn two_customers(lines: &Lines, about: &Subject) -> Vec<Need> {
    let session = about.session.as_deref().unwrap_or_default();
    let mut redeemed = lines.all("KeysRedeemed", &[("session", session)]);
    let other = redeemed.any(|event| event["data"]["license_id"] != about.license_id.as_str());
    vec![
        lines.landed(about),
        need("another agreement in the session", other),
    ]
}

fn one_root(lines: &Lines, about: &Subject) -> Vec<Need> {
    let session = about.session.as_deref().unwrap_or_default();
    let root = lines.text("SessionStarted", &[("session", session)], "root_session");
    let shared = root.is_some_and(|root| {
        let mut sharing = lines.all("SessionStarted", &[("root_session", root)]);
        sharing.any(|event| event["data"]["session"] != session)
    });
    vec![
        lines.landed(about),
        need("two sign-ins from one authentication", shared),
    ]
}
