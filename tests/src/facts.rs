//! Small facts for tests of the store, read from their JSON form as imports do.

use ledger::event::{Fact, json::read_fact};
use ledger::secret::PublicKeyring;
use ledger::time::{FixedClock, Timestamp};
use serde_json::json;
use tools::simulate::noise::Noise;
use tools::simulate::{Plan, Simulation, Trouble};

/// A tenant that came to be, as record `record` of a source; it names that tenant only.
pub fn tenant_created(record: usize, tenant: &str) -> Fact {
    fact(&json!({
        "kind": "TenantCreated",
        "occurred_at": "2024-03-11T09:42:00Z",
        "source": { "system": "directory", "record": format!("r-{record}") },
        "data": { "tenant": tenant, "created_via": "Unknown" }
    }))
}

/// A session in a tenant, of a person: three subjects.
pub fn session_started(record: usize, session: &str, tenant: &str) -> Fact {
    fact(&json!({
        "kind": "SessionStarted",
        "occurred_at": "2024-03-11T09:31:00Z",
        "source": { "system": "portal", "record": format!("r-{record}") },
        "data": {
            "session": session,
            "resource_tenant": tenant,
            "principal": "jo.blake@contoso.example",
            "auth": "Unknown"
        }
    }))
}

/// A fact from its JSON form, under the public pepper.
pub fn fact(value: &serde_json::Value) -> Fact {
    read_fact(value, &mut PublicKeyring).expect("a fact of a test has to be one")
}

/// A clock that stands still.
pub fn clock() -> Box<FixedClock> {
    let noon = Timestamp::parse("2024-06-30T12:00:00Z").expect("it is an instant");
    Box::new(FixedClock(noon))
}

/// A simulated history of 14 months in which three landings of ten go wrong.
pub fn simulated(seed: u64, customers: u32, noise: Noise) -> Vec<Fact> {
    let plan = Plan {
        seed,
        customers,
        months: 14,
        start: Plan::default_start(),
    };
    let trouble = Trouble {
        wrong_ppm: 300_000,
        noise,
    };
    Simulation::new(plan, trouble)
        .map(|line| fact(&serde_json::from_str(&line).expect("JSON")))
        .collect()
}

/// The last instant at which any of them can have happened.
pub fn latest(facts: &[Fact]) -> Timestamp {
    let latest = facts.iter().map(|fact| fact.occurred_at.last());
    latest.max().expect("there are events")
}
