//! Who plays: customers with their people, agreements, subscriptions and machines, and the channel
//! that sells to them.

use super::names;
use super::random::Random;
use super::storyline::Storyline;
use ledger::time::{Date, Timestamp};

/// A person with a name and an address.
#[derive(Debug, Clone)]
pub struct Person {
    /// The name.
    pub name: String,
    /// The address.
    pub address: String,
}

/// Which of a customer's people administers its tenant.
pub const ADMINISTRATOR: usize = 0;
/// Which one is the Primary Contact.
pub const PRIMARY_CONTACT: usize = 1;
/// Which one is the Online Services Manager.
pub const MANAGER: usize = 2;
/// Which one is the Notices Contact.
pub const NOTICES_CONTACT: usize = 3;
/// The first one who only uses what is bought.
pub const FIRST_USER: usize = 4;

/// One activation key and what it carries.
#[derive(Debug, Clone)]
pub struct Key {
    /// The key itself.
    pub key: String,
    /// What it is for.
    pub sku: &'static str,
    /// Seats; 0 for credit.
    pub seats: u32,
    /// Credit in minor units; 0 for seats.
    pub credit: i64,
}

/// What an order is meant to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Begin a subscription, or the first lot of credit.
    Begin,
    /// Add seats, or another lot of credit.
    Add,
    /// Renew for another term.
    Renew,
}

/// An order that has not landed yet.
#[derive(Debug, Clone)]
pub struct Order {
    /// Its number.
    pub id: String,
    /// Its activation.
    pub activation: String,
    /// What it is meant to do.
    pub purpose: Purpose,
    /// Its keys; an agreement without keys has lines all the same.
    pub keys: Vec<Key>,
    /// The record of its placing.
    pub record: u64,
    /// The day it was placed.
    pub placed: Date,
    /// The message and the link that were sent for it.
    pub mail: Option<(String, String)>,
    /// Whether the mail was forwarded to the reseller, who acts for the customer.
    pub by_reseller: bool,
}

/// A signed agreement.
#[derive(Debug, Clone)]
pub struct Agreement {
    /// Its License ID.
    pub license_id: String,
    /// Its program.
    pub program: &'static str,
    /// Whether its entitlements arrive by key.
    pub open: bool,
    /// Whether it is for credit instead of seats.
    pub credit: bool,
    /// Its customer number.
    pub pcn: String,
    /// Which of the customer's people receives its mail.
    pub recipient: usize,
    /// In which role, a word of `ContactRole`.
    pub recipient_role: &'static str,
    /// Its last day.
    pub end: Date,
    /// The order that has not landed yet.
    pub pending: Option<Order>,
    /// Whether its services reached a tenant.
    pub landed: bool,
}

/// A subscription in the customer's own tenant.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// Under which agreement.
    pub agreement: usize,
    /// Of what.
    pub sku: &'static str,
    /// Its seats.
    pub seats: u32,
    /// How many of them are assigned.
    pub assigned: u32,
    /// Its last day.
    pub end: Date,
    /// The day of the month that its terms end on.
    pub anchor_day: i8,
    /// How long its grace lasts, in days.
    pub grace_days: i64,
    /// The day after which it was cancelled or replaced, if it was.
    pub closed: Option<Date>,
}

impl Subscription {
    /// Whether it serves its users on a day: active, or in grace.
    pub fn serves(&self, day: Date) -> bool {
        self.closed.is_none_or(|closed| day <= closed) && day <= self.end.plus_days(self.grace_days)
    }
}

/// A machine with an install of Office.
#[derive(Debug, Clone)]
pub struct Seat {
    /// The machine's name.
    pub machine: String,
    /// Whose it is.
    pub user: usize,
    /// From which subscription.
    pub subscription: usize,
    /// Until when it is licensed.
    pub valid_until: Timestamp,
    /// The last characters of its machine key.
    pub key_last5: String,
    /// What became of it.
    pub state: SeatState,
}

/// What became of a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeatState {
    /// It is set up, or about to be.
    Live,
    /// Another machine took its place, which it does not know yet.
    Bumped,
    /// Its user lost the subscription, which it does not know yet.
    Deprovisioned,
    /// It is out of use.
    Gone,
}

/// A lot of Azure credit.
#[derive(Debug, Clone)]
pub struct Lot {
    /// Its id.
    pub id: String,
    /// The Azure subscription.
    pub azure: String,
    /// What is left, in minor units.
    pub left: i64,
    /// The last day.
    pub expires: Date,
}

/// A landing that went wrong and has to be compensated.
#[derive(Debug, Clone)]
pub struct Mistake {
    /// The tenant that it landed in.
    pub tenant: String,
    /// The customer whose tenant that is.
    pub customer: String,
    /// Who administers it.
    pub administrator: Person,
    /// The redemption, if there was one.
    pub redemption: Option<String>,
    /// The subscriptions that began there, with their seats.
    pub subscriptions: Vec<(String, u32)>,
    /// The first user of each of them, where one was assigned already.
    pub users: Vec<usize>,
    /// The order that landed.
    pub order: Order,
}

/// A customer and everything that its story remembers.
pub struct Customer {
    /// Its number, from 0.
    pub number: u32,
    /// Its own randomness.
    pub random: Random,
    /// What is going to happen to it.
    pub story: Storyline,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its name in domains.
    pub slug: String,
    /// Its verified domain.
    pub domain: String,
    /// ISO 3166 code.
    pub country: &'static str,
    /// Its customer number.
    pub pcn: String,
    /// Its people; the first four have the roles of the constants above.
    pub people: Vec<Person>,
    /// Its reseller.
    pub reseller: usize,
    /// Whether the reseller may administer its tenant.
    pub delegated: bool,
    /// Its own tenant, once there is one.
    pub tenant: Option<String>,
    /// The subscription and tenant of its trial.
    pub trial: Option<(String, String)>,
    /// Its agreements.
    pub agreements: Vec<Agreement>,
    /// Its subscriptions.
    pub subscriptions: Vec<Subscription>,
    /// Its machines.
    pub seats: Vec<Seat>,
    /// Its credit.
    pub lots: Vec<Lot>,
    /// Its landing that has to be compensated.
    pub mistake: Option<Mistake>,
    /// Whether the episode of its storyline is over.
    pub episode_over: bool,
}

impl Customer {
    /// A new customer: everything about it follows from seed, number and storyline.
    pub fn new(seed: u64, number: u32, story: Storyline, resellers: usize) -> Self {
        let mut random = Random::new(seed, u64::from(number));
        let name = names::company(number);
        let slug = names::slug(&name);
        let domain = format!("{slug}.example");
        let count = u32::try_from(resellers).unwrap_or(1);
        let mut customer = Self {
            id: format!("cust-{:06}", number + 1),
            country: names::country(&mut random),
            pcn: format!("C{:07}", 1_000_000 + u64::from(number)),
            reseller: random.below(count) as usize,
            delegated: random.chance(600),
            people: Vec::new(),
            tenant: None,
            trial: None,
            agreements: Vec::new(),
            subscriptions: Vec::new(),
            seats: Vec::new(),
            lots: Vec::new(),
            mistake: None,
            episode_over: false,
            number,
            random,
            story,
            name,
            slug,
            domain,
        };
        for _ in 0..FIRST_USER {
            customer.hire();
        }
        customer
    }

    /// Adds a person and returns which one it is.
    pub fn hire(&mut self) -> usize {
        let number = self.people.len();
        let (name, local) = names::person(&mut self.random, number);
        let address = format!("{local}@{}", self.domain);
        self.people.push(Person { name, address });
        number
    }

    /// The domain under which a tenant of this customer begins.
    pub fn initial_domain(&self) -> String {
        format!("{}.onmicrosoft.example", self.slug)
    }

    /// The tenant's id; before there is one, the one that it is going to have.
    pub fn tenant_id(&self) -> String {
        self.tenant.clone().unwrap_or_else(|| self.initial_domain())
    }
}

/// A reseller or distributor.
pub struct Partner {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its domain.
    pub domain: String,
    /// Its own tenant.
    pub tenant: String,
    /// Somebody who works for it.
    pub technician: Person,
}

impl Partner {
    fn new(random: &mut Random, number: u32, prefix: &str) -> Self {
        let name = names::reseller(number);
        let slug = names::slug(&name);
        let domain = format!("{slug}.example");
        let (person, local) = names::person(random, 2);
        Self {
            id: format!("{prefix}-{:04}", number + 1),
            tenant: format!("{slug}.onmicrosoft.example"),
            technician: Person {
                address: format!("{local}@{domain}"),
                name: person,
            },
            name,
            domain,
        }
    }
}

/// The partners between the vendor and the customers.
pub struct Channel {
    /// Who sells to customers.
    pub resellers: Vec<Partner>,
    /// Who sells to resellers.
    pub distributors: Vec<Partner>,
}

impl Channel {
    /// A channel of a size that fits so many customers.
    pub fn new(seed: u64, customers: u32) -> Self {
        let mut random = Random::new(seed, u64::MAX - 1);
        let distributors = 2 + customers / 500;
        let resellers = 3 + customers / 40;
        let mut make = |numbers: std::ops::Range<u32>, prefix: &str| {
            numbers
                .map(|number| Partner::new(&mut random, number, prefix))
                .collect()
        };
        Self {
            distributors: make(0..distributors, "dist"),
            resellers: make(distributors..distributors + resellers, "part"),
        }
    }

    /// The distributor that a reseller buys from.
    pub fn distributor_of(&self, reseller: usize) -> &Partner {
        &self.distributors[reseller % self.distributors.len()]
    }
}

/// What other customers' stories may know of one: where its tenant is and who administers it.
#[derive(Debug, Clone)]
pub struct Neighbour {
    /// The customer.
    pub customer: String,
    /// Its tenant.
    pub tenant: String,
    /// Who administers it.
    pub administrator: Person,
    /// The organisation's name in it.
    pub name: String,
    /// Whether it is a reseller that buys for itself.
    pub is_partner: bool,
    /// ISO 3166 code.
    pub country: &'static str,
}
