//! The stage that a mistake is played on: customers of its own beside the ones of the run, told as a
//! whole or not at all.

use crate::simulate::cast::{ADMINISTRATOR, Channel, Customer, Neighbour, Partner};
use crate::simulate::cast::{Key, Purpose};
use crate::simulate::chapter::{agreement, choice, mail, order, redemption, registration};
use crate::simulate::outbox::{Lost, Outbox, Staged, System};
use crate::simulate::random::Random;
use crate::simulate::scene::{Agenda, Neighbours, Scene};
use crate::simulate::storyline::{Episode, Origin, Storyline};
use ledger::time::Timestamp;

/// A scene's place: the moment, the channel, the neighbours, and where lines go.
pub struct Stage<'a> {
    seed: u64,
    next_customer: &'a mut u32,
    channel: &'a Channel,
    neighbours: Neighbours,
    out: &'a mut Outbox,
    /// What a chapter plans for later is not played: a scene ends when its function does.
    agenda: Agenda,
    now: Timestamp,
    reseller: usize,
    random: Random,
}

impl<'a> Stage<'a> {
    /// A stage at a moment. Its customers get the numbers after `next_customer`, and buy from one
    /// reseller.
    pub fn new(
        seed: u64,
        next_customer: &'a mut u32,
        channel: &'a Channel,
        neighbours: &Neighbours,
        out: &'a mut Outbox,
        now: Timestamp,
    ) -> Self {
        let mut random = Random::new(seed, u64::from(*next_customer) | 1 << 40);
        let resellers = u32::try_from(channel.resellers.len()).unwrap_or(1);
        Self {
            seed,
            next_customer,
            channel,
            neighbours: neighbours.clone(),
            out,
            agenda: Agenda::default(),
            now,
            reseller: random.below(resellers) as usize,
            random,
        }
    }

    /// Lines are held back from here on.
    pub fn begins(&mut self) {
        self.out.stage();
    }

    /// The lines of the scene, and what of it was lost; no lines if the run ends before the scene.
    pub fn ends(&mut self) -> (Option<Staged>, Vec<Lost>) {
        (self.out.played(), self.out.take_lost())
    }

    /// The reseller of everybody in this scene.
    pub fn partner(&self) -> &'a Partner {
        &self.channel.resellers[self.reseller]
    }

    /// A reseller that nobody in this scene buys from.
    pub fn another_partner(&self) -> &'a Partner {
        &self.channel.resellers[(self.reseller + 1) % self.channel.resellers.len()]
    }

    /// The scene begins so many days ago; what happens before its moment comes to be known only
    /// then, as the old records of a source.
    pub fn goes_back(&mut self, days: i64) {
        self.out.tell_at(self.now);
        self.now = self.now.plus_days(-days);
    }

    /// A customer that nobody knows yet.
    pub fn stranger(&mut self) -> Customer {
        let story = Storyline {
            origin: Origin::OpenExisting,
            episode: Episode::Staged,
        };
        let number = *self.next_customer;
        *self.next_customer += 1;
        let mut who = Customer::new(self.seed, number, story, self.channel.resellers.len());
        who.delegated = false;
        who.reseller = self.reseller;
        who
    }

    /// Plays a part of the scene with one customer.
    pub fn with<T>(&mut self, who: &mut Customer, play: impl FnOnce(&mut Scene<'_>) -> T) -> T {
        let mut scene = Scene {
            now: self.now,
            who,
            channel: self.channel,
            neighbours: &mut self.neighbours,
            out: self.out,
            agenda: &mut self.agenda,
        };
        let result = play(&mut scene);
        self.now = scene.now;
        result
    }

    /// A customer that the register knows, without a tenant.
    pub fn registered(&mut self) -> Customer {
        let mut who = self.stranger();
        self.with(&mut who, |s| {
            registration::register(s);
            s.wait_days(1, 3);
        });
        who
    }

    /// A customer that has a tenant of its own, with its domain verified and an administrator.
    pub fn known(&mut self) -> Customer {
        let mut who = self.registered();
        self.with(&mut who, |s| {
            s.who.tenant = Some(s.who.initial_domain());
            registration::observe_tenant(s, "Purchase");
            registration::becomes_administrator(s);
            registration::domain_verified(s);
            s.wait_days(1, 3);
        });
        who
    }

    /// A customer whose first agreement has landed where it should.
    pub fn settled(&mut self, open: bool) -> Customer {
        let mut who = self.known();
        self.with(&mut who, |s| {
            let a = agreement::sign(s, open, false);
            s.wait_days(1, 4);
            let lines = suite(s);
            ordered(s, a, Purpose::Begin, lines, false);
            mailed(s, a);
            lands_right(s, a);
            s.wait_days(10, 30);
        });
        who
    }

    /// Another customer with a tenant: one of the run if there is any, as the directory shows it.
    pub fn other(&mut self) -> Neighbour {
        let draw = self.random.below(1000);
        let Some(other) = self.neighbours.that_only_buys(draw) else {
            let who = self.known();
            return Neighbour {
                customer: who.id.clone(),
                tenant: who.tenant_id(),
                administrator: who.people[ADMINISTRATOR].clone(),
                name: who.name.clone(),
                is_partner: false,
                country: who.country,
            };
        };
        self.out
            .fact("TenantObserved", self.now, System::DIRECTORY)
            .data(|f| {
                f.text("tenant", &other.tenant)
                    .text("initial_domain", &other.tenant);
                f.text("name", &other.name).text("country", other.country);
                f.text("cloud", "Public").text("owner", &other.customer);
            });
        self.now = self.now.plus_minutes(90);
        other
    }
}

/// One line of a suite.
pub fn suite(s: &mut Scene<'_>) -> Vec<Key> {
    let seats = s.who.random.between(4, 12);
    let sku = s.who.random.pick(&["O365-E3", "O365-PROPLUS"]);
    vec![order::line(s.who.random.key(), sku, seats)]
}

/// Places an order and issues its keys.
pub fn ordered(s: &mut Scene<'_>, a: usize, purpose: Purpose, lines: Vec<Key>, names: bool) {
    order::place_order_for(s, a, purpose, lines, names);
    s.wait_days(1, 3);
    order::issue_keys(s, a);
    s.wait_days(1, 2);
}

/// Signs a further agreement and orders a suite under it; some orders name the tenant.
pub fn ordered_again(s: &mut Scene<'_>, open: bool) -> usize {
    let names_tenant = s.who.random.chance(300);
    ordered_again_for(s, open, names_tenant)
}

/// Signs a further agreement and orders a suite under it; no order names the tenant.
pub fn ordered_again_unnamed(s: &mut Scene<'_>, open: bool) -> usize {
    ordered_again_for(s, open, false)
}

/// Signs a further agreement and orders a suite under it, for the customer's tenant or for none.
pub fn ordered_again_for(s: &mut Scene<'_>, open: bool, names_tenant: bool) -> usize {
    let a = agreement::sign(s, open, false);
    s.wait_days(1, 4);
    let lines = suite(s);
    ordered(s, a, Purpose::Begin, lines, names_tenant);
    a
}

/// Mails the recipient of record, who forwards to the administrator.
pub fn mailed(s: &mut Scene<'_>, a: usize) {
    let administrator = s.who.people[ADMINISTRATOR].clone();
    mail::invite_through(s, a, &[administrator]);
    s.wait_days(1, 6);
}

/// The administrator lands the pending order in the customer's tenant.
pub fn lands_right(s: &mut Scene<'_>, a: usize) {
    match s.who.agreements[a].open {
        true => redemption::redeem(s, a, Episode::Plain),
        false => choice::sign_in(s, a, "ExistingPaid"),
    }
}
