//! Office comes onto a machine, from the install to the first licence.

use super::place;
use crate::simulate::cast::SeatState;
use crate::simulate::outbox::{By, Outbox, System};
use crate::simulate::scene::{Scene, Step};
use ledger::time::Timestamp;

/// How long a machine key licenses (R22).
pub const TTL_DAYS: i64 = 30;
/// How many machines a user may have at a time (R25).
const MACHINES_MAX: usize = 5;
const VERSIONS: &[&str] = &[
    "15.0.4551.1011",
    "15.0.4623.1003",
    "15.0.4667.1002",
    "15.0.4711.1003",
];

/// Installs Office on a machine and licenses it.
pub fn install(s: &mut Scene<'_>, index: usize) {
    let today = s.today();
    let seat = &s.who.seats[index];
    if !s.who.subscriptions[seat.subscription].serves(today) || seat.state != SeatState::Live {
        s.who.seats[index].state = SeatState::Gone;
        return;
    }
    let version = s.who.random.pick(VERSIONS);
    let install = s.out.id("inst");
    let updates = s.who.random.below(9);
    told(s, index, "OfficeInstalled", 0, System::AGENT, |f| {
        f.text("install", &install).text("version", version);
        f.text("product", "OfficeProPlus");
    });
    told(s, index, "DesktopSetupRun", 3, System::AGENT, |f| {
        f.number("updates", updates);
    });
    told(s, index, "AgentStarted", 5, System::AGENT, |_| {});
    with_user(s, index, "NotifierStarted", 6, System::AGENT);
    sign_in(s, index, 8);
    make_room(s, index);
    register(s, index);
    issue_key(s, index, 12);
    s.now = s.now.plus_minutes(13);
    license(s, index);
    next_contact(s, index);
}

/// The user is asked for credentials and types them: once, as long as nothing goes wrong (R26).
pub fn sign_in(s: &mut Scene<'_>, index: usize, minutes: i64) {
    let tenant = s.who.tenant_id();
    with_user(s, index, "UserPrompted", minutes, System::AGENT);
    let managed_by = s.managed_by();
    let who = &*s.who;
    let (seat, user) = (&who.seats[index], &who.people[who.seats[index].user]);
    let at = s.now.plus_minutes(minutes + 1);
    s.out
        .fact("UserAuthenticated", at, System::AGENT)
        .by(By::agent(user, &tenant, managed_by))
        .data(|f| {
            f.text("machine", &seat.machine).person("user", user);
            f.text("tenant", &tenant).text("library", "IDCRL");
        });
}

/// Where the user has the most machines already, the one longest not validated loses its place.
fn make_room(s: &mut Scene<'_>, index: usize) {
    let user = s.who.seats[index].user;
    let others = || {
        let seats = s.who.seats.iter().enumerate();
        seats.filter(move |(other, seat)| {
            *other != index
                && seat.user == user
                && seat.state == SeatState::Live
                && !seat.key_last5.is_empty()
        })
    };
    if others().count() < MACHINES_MAX {
        return;
    }
    let longest = others()
        .min_by(|(_, a), (_, b)| (a.valid_until, &a.machine).cmp(&(b.valid_until, &b.machine)));
    let Some(longest) = longest.map(|(other, _)| other) else {
        return;
    };
    s.who.seats[longest].state = SeatState::Bumped;
    let tenant = s.who.tenant_id();
    let managed_by = s.managed_by();
    let who = &*s.who;
    let person = &who.people[user];
    let at = s.now.plus_minutes(10);
    s.out
        .fact("MachineBumped", at, System::SUBSCRIPTIONS)
        .by(By::agent(person, &tenant, managed_by))
        .data(|f| {
            f.text("machine", &who.seats[longest].machine)
                .person("user", person);
            f.text("tenant", &tenant);
            f.text("beneficiary", &who.seats[index].machine);
        });
}

fn register(s: &mut Scene<'_>, index: usize) {
    let tenant = s.who.tenant_id();
    let managed_by = s.managed_by();
    let who = &*s.who;
    let (seat, user) = (&who.seats[index], &who.people[who.seats[index].user]);
    let at = s.now.plus_minutes(10);
    s.out
        .fact("MachineRegistered", at, System::SUBSCRIPTIONS)
        .by(By::agent(user, &tenant, managed_by))
        .data(|f| {
            f.text("machine", &seat.machine).person("user", user);
            f.text("tenant", &tenant);
        });
    let at = s.now.plus_minutes(11);
    s.out
        .fact("SeatProvisioned", at, System::SUBSCRIPTIONS)
        .by(By::agent(user, &tenant, managed_by))
        .data(|f| {
            f.text("machine", &seat.machine).person("user", user);
            f.text("tenant", &tenant);
            f.text("subscription", &who.subscriptions[seat.subscription].id);
        });
}

/// The machine gets a key of its own, with the parameters of time based licensing.
pub fn issue_key(s: &mut Scene<'_>, index: usize, minutes: i64) {
    let last5 = s.who.random.last5();
    told(
        s,
        index,
        "TblParametersSet",
        minutes,
        System::SUBSCRIPTIONS,
        |f| {
            f.number("ttl_days", TTL_DAYS).number("grace_days", 30);
            f.text("service", "AVS");
        },
    );
    told(
        s,
        index,
        "MachineKeyIssued",
        minutes,
        System::SUBSCRIPTIONS,
        |f| {
            f.text("machine_key_last5", &last5)
                .number("ttl_days", TTL_DAYS);
            f.text("issued_by", "Sell keys");
        },
    );
    s.who.seats[index].key_last5 = last5;
}

/// The machine is licensed from now on.
pub fn license(s: &mut Scene<'_>, index: usize) {
    let tenant = s.who.tenant_id();
    let valid_until = s.now.plus_days(TTL_DAYS);
    s.who.seats[index].valid_until = valid_until;
    let managed_by = s.managed_by();
    let who = &*s.who;
    let (seat, user) = (&who.seats[index], &who.people[who.seats[index].user]);
    s.out
        .fact("SeatLicensed", s.now, System::SUBSCRIPTIONS)
        .by(By::agent(user, &tenant, managed_by))
        .data(|f| {
            f.text("machine", &seat.machine).person("user", user);
            f.text("tenant", &tenant)
                .instant("valid_until", valid_until);
        });
}

/// Plans the next contact, before the licence runs out.
pub fn next_contact(s: &mut Scene<'_>, index: usize) {
    let minutes = s.who.random.between(24 * 24 * 60, 29 * 24 * 60);
    let at = s.now.plus_minutes(i64::from(minutes));
    s.then(at, Step::Revalidate(place(index)));
}

/// A fact about a machine, said by its agent for its user.
pub fn told(
    s: &mut Scene<'_>,
    index: usize,
    kind: &'static str,
    minutes: i64,
    system: System,
    fields: impl FnOnce(&mut crate::simulate::line::Fields<'_>),
) {
    let at = s.now.plus_minutes(minutes);
    let managed_by = s.managed_by();
    let who = &*s.who;
    let (seat, user) = (&who.seats[index], &who.people[who.seats[index].user]);
    let tenant = who.tenant.as_deref().unwrap_or_default();
    about(
        s.out,
        kind,
        at,
        system,
        By::agent(user, tenant, managed_by),
        &seat.machine,
        fields,
    );
}

/// A fact about a machine that names its user as well.
pub fn with_user(
    s: &mut Scene<'_>,
    index: usize,
    kind: &'static str,
    minutes: i64,
    system: System,
) {
    let user = s.who.people[s.who.seats[index].user].clone();
    told(s, index, kind, minutes, system, |f| {
        f.person("user", &user);
    });
}

fn about(
    out: &mut Outbox,
    kind: &'static str,
    at: Timestamp,
    system: System,
    by: By<'_>,
    machine: &str,
    fields: impl FnOnce(&mut crate::simulate::line::Fields<'_>),
) {
    out.fact(kind, at, system).by(by).data(|f| {
        f.text("machine", machine);
        fields(f);
    });
}
