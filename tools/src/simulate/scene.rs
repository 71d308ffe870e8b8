//! One step of one customer's story, and the agenda of the steps to come.

use super::cast::{Channel, Customer, Neighbour};
use super::outbox::{Outbox, plus_seconds};
use ledger::time::{Date, Timestamp};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What a customer's story does next. Numbers are places in the customer's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The channel becomes known.
    Channel,
    /// The customer becomes known.
    Join,
    /// Another agreement is signed.
    Sign,
    /// The first order of an agreement is placed.
    FirstOrder(u32),
    /// The first order goes back.
    ReturnOrder(u32),
    /// The link of the first order expires.
    LinkExpires(u32),
    /// The order of an agreement lands.
    Land(u32),
    /// Seats are added to an agreement.
    AddSeats(u32),
    /// The services of an agreement are renewed.
    Renew(u32),
    /// The term of a subscription is over, unless it was renewed.
    TermEnds(u32),
    /// The grace of a subscription is over, unless it was renewed.
    GraceEnds(u32),
    /// A disabled subscription is deleted, unless it was renewed.
    Deletion(u32),
    /// A subscription is cancelled.
    Cancel(u32),
    /// Office is installed on a machine.
    Install(u32),
    /// A machine revalidates.
    Revalidate(u32),
    /// A user is given the subscription again.
    Reprovision(u32),
    /// Credit is used.
    UseCredit,
    /// A lot of credit ends.
    CreditEnds(u32),
    /// What is left of all credit is forfeited.
    Forfeit,
    /// A trial ends.
    TrialEnds,
    /// A trial's data is deleted.
    TrialDeleted,
    /// The monthly look at everything.
    Month,
    /// A wrong landing is compensated by reversal and reissue.
    Reissue(u32),
    /// A wrong landing is compensated by a remap.
    Remap(u32),
    /// The episode of the customer, where it stands alone.
    Episode,
}

/// The steps to come, of all customers.
#[derive(Default)]
pub struct Agenda {
    steps: BinaryHeap<Reverse<(Timestamp, u64, u32, Step)>>,
    number: u64,
}

impl Agenda {
    /// Puts a step down.
    pub fn put(&mut self, at: Timestamp, customer: u32, step: Step) {
        self.number += 1;
        self.steps.push(Reverse((at, self.number, customer, step)));
    }

    /// When the next step is due.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.steps.peek().map(|Reverse((at, ..))| *at)
    }

    /// Takes the next step: when, whose, which.
    pub fn take(&mut self) -> Option<(Timestamp, u32, Step)> {
        let Reverse((at, _, customer, step)) = self.steps.pop()?;
        Some((at, customer, step))
    }
}

/// How many customers other stories can see.
const NEIGHBOURS_MAX: usize = 64;

/// The customers that others can be mixed up with: the latest ones that have a tenant.
#[derive(Default, Clone)]
pub struct Neighbours {
    known: Vec<Neighbour>,
    next: usize,
}

impl Neighbours {
    /// Remembers one.
    pub fn meet(&mut self, neighbour: Neighbour) {
        if self.known.len() < NEIGHBOURS_MAX {
            self.known.push(neighbour);
        } else {
            self.known[self.next] = neighbour;
            self.next = (self.next + 1) % NEIGHBOURS_MAX;
        }
    }

    /// One that is no partner; which one, `draw` decides.
    pub fn that_only_buys(&self, draw: u32) -> Option<Neighbour> {
        let start = draw as usize % self.known.len().max(1);
        let around = self.known.iter().cycle().skip(start).take(self.known.len());
        around.into_iter().find(|n| !n.is_partner).cloned()
    }

    /// One that is not `customer`; which one, `draw` decides.
    pub fn other_than(&self, customer: &str, draw: u32) -> Option<Neighbour> {
        let start = draw as usize % self.known.len().max(1);
        let around = self.known.iter().cycle().skip(start).take(self.known.len());
        around.into_iter().find(|n| n.customer != customer).cloned()
    }
}

/// A step being played: the customer, the moment, and where facts and further steps go.
pub struct Scene<'a> {
    /// The moment.
    pub now: Timestamp,
    /// The customer.
    pub who: &'a mut Customer,
    /// The partners.
    pub channel: &'a Channel,
    /// Other customers.
    pub neighbours: &'a mut Neighbours,
    /// Where facts go.
    pub out: &'a mut Outbox,
    /// Where further steps go.
    pub agenda: &'a mut Agenda,
}

impl<'a> Scene<'a> {
    /// The reseller that manages the customer's machines, if one does.
    pub fn managed_by(&self) -> Option<&'a str> {
        let channel: &'a Channel = self.channel;
        let reseller = channel.resellers.get(self.who.reseller)?;
        self.who.delegated.then_some(reseller.id.as_str())
    }

    /// Puts down a further step of this customer.
    pub fn then(&mut self, at: Timestamp, step: Step) {
        self.agenda.put(at.max(self.now), self.who.number, step);
    }

    /// Puts down a further step some days from now, in office hours.
    pub fn then_in_days(&mut self, least: u32, most: u32, step: Step) {
        let at = self.in_days(least, most);
        self.then(at, step);
    }

    /// A moment in the office hours of a day that is so many days away.
    pub fn in_days(&mut self, least: u32, most: u32) -> Timestamp {
        let days = self.who.random.between(least, most);
        self.office_hours(self.today().plus_days(i64::from(days)))
    }

    /// A moment in the office hours of a day, and never before now.
    pub fn office_hours(&mut self, day: Date) -> Timestamp {
        const HOUR: u32 = 3600;
        let seconds = self.who.random.between(7 * HOUR, 17 * HOUR);
        plus_seconds(day.start(), seconds).max(self.now)
    }

    /// The day of this moment.
    pub fn today(&self) -> Date {
        self.now.date()
    }

    /// Lets some minutes pass: what follows in this scene happens later.
    pub fn wait_minutes(&mut self, least: u32, most: u32) {
        let seconds = self.who.random.between(least * 60, most * 60 + 59);
        self.now = plus_seconds(self.now, seconds);
    }

    /// Lets some days pass, to the office hours of a day.
    pub fn wait_days(&mut self, least: u32, most: u32) {
        self.now = self.in_days(least, most);
    }
}
