//! Short histories, told line by line, and the views of them.

use crate::story;
use ledger::event::Fact;
use ledger::event::json::read_fact;
use ledger::secret::PublicKeyring;
use ledger::time::Timestamp;
use projections::policy::Policies;
use projections::view::view;
use projections::{Histories, Point, Seen};
use serde_json::{Value, json};

/// A history, told line by line.
#[derive(Debug, Clone, Default)]
pub struct Told(pub Vec<Fact>);

impl Told {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what happened at an instant; panics if it is no event.
    #[must_use]
    pub fn and(mut self, at: &str, kind: &str, data: Value) -> Self {
        let number = self.0.len();
        let line = json!({
            "kind": kind, "occurred_at": at, "data": data,
            "source": { "system": "told", "record": format!("r{number}") },
        });
        let fact = read_fact(&line, &mut PublicKeyring);
        self.0
            .push(fact.unwrap_or_else(|error| panic!("{kind} at {at}: {error:?}")));
        self
    }

    /// Names a policy that decided the last line.
    #[must_use]
    pub fn by(mut self, policy: &str) -> Self {
        let name = ledger::id::Name::new(policy).expect("a name");
        let version = ledger::event::field::Count(1);
        let policy = ledger::event::part::PolicyRef { name, version };
        self.0.last_mut().expect("a line").policies.push(policy);
        self
    }

    /// Says that the last line was done by somebody of a partner's own tenant.
    #[must_use]
    pub fn from_home(mut self, tenant: &str) -> Self {
        self.0.last_mut().expect("a line").actor = Some(ledger::event::Actor {
            kind: ledger::event::word::ActorKind::Partner,
            person: None,
            partner: None,
            home_tenant: Some(ledger::id::HomeTenantId::new(tenant).expect("a tenant")),
            roles: Vec::new(),
        });
        self
    }

    /// The view of a subject at an instant; `Null` if there is none.
    pub fn view(&self, subject: &str, at: &str) -> Value {
        self.view_under(Policies::default(), subject, at)
    }

    /// The same under other policies.
    pub fn view_under(&self, policies: Policies, subject: &str, at: &str) -> Value {
        let histories = Histories::gather(story::record(self.0.clone()));
        let point = Point::valid(Timestamp::parse(at).expect("an instant"));
        let seen = Seen::new(&histories, point).under(policies);
        view(&seen, &story::subject(subject)).unwrap_or(Value::Null)
    }
}

/// A key.
pub const KEY: &str = "AAAAA-BBBBB-CCCCC-DDDDD-EEEE1";

/// Another key.
pub const OTHER_KEY: &str = "AAAAA-BBBBB-CCCCC-DDDDD-EEEE2";

/// The address of a person.
pub fn person(name: &str) -> String {
    format!("{name}@contoso.example")
}

/// The pseudonym of that address.
pub fn pseudonym(name: &str) -> String {
    let pepper = ledger::secret::Pepper::public();
    let id = ledger::event::protected::Person::id_of_address(&pepper, &person(name));
    id.expect("an address").to_string()
}

/// The pseudonym of a machine.
pub fn machine(name: &str) -> String {
    story::subject(&format!("seat:{name}")).id
}

/// A redemption of one key that touches the subscription `sub`.
pub fn redeemed(redemption: &str, tenant: &str, key: &str, mode: &str, seats: u32) -> Value {
    json!({
        "redemption": redemption, "tenant": tenant, "mode": mode,
        "keys": [{ "key": key, "seats": seats }],
        "effects": [{ "subscription": "sub" }],
    })
}

/// A key that was issued under an agreement.
pub fn key(key: &str, license: &str, seats: u32) -> Value {
    json!({ "key": key, "order": format!("o-{license}"), "line": 1, "license_id": license, "seats": seats })
}
