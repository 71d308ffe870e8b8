//! Sessions at the portals: one for each agreement, by somebody who may act (R18).

use crate::simulate::cast::{ADMINISTRATOR, Partner, Person};
use crate::simulate::outbox::{By, System};
use crate::simulate::scene::Scene;

const BROWSERS: &[&str] = &[
    "bf-11-a", "bf-11-b", "bf-28-a", "bf-33-c", "bf-38-a", "bf-41-d",
];

/// Somebody at a portal.
pub struct Visitor {
    kind: &'static str,
    /// The person.
    pub person: Person,
    partner: Option<String>,
    home_tenant: Option<String>,
}

impl Visitor {
    /// The customer's administrator.
    pub fn administrator(s: &Scene<'_>) -> Self {
        Self::employee(s, ADMINISTRATOR)
    }

    /// One of the customer's people.
    pub fn employee(s: &Scene<'_>, person: usize) -> Self {
        Self {
            kind: "Customer",
            person: s.who.people[person].clone(),
            partner: None,
            home_tenant: s.who.tenant.clone(),
        }
    }

    /// The reseller's technician, who acts by delegation.
    pub fn technician(s: &Scene<'_>) -> Self {
        Self::technician_of(&s.channel.resellers[s.who.reseller])
    }

    /// The technician of a partner.
    pub fn technician_of(partner: &Partner) -> Self {
        Self {
            kind: "Partner",
            person: partner.technician.clone(),
            partner: Some(partner.id.clone()),
            home_tenant: Some(partner.tenant.clone()),
        }
    }

    /// Somebody of a customer whose own tenant is another one than the customer's.
    pub fn from_elsewhere(person: &Person, home_tenant: Option<&str>) -> Self {
        Self {
            kind: "Customer",
            person: person.clone(),
            partner: None,
            home_tenant: home_tenant.map(str::to_owned),
        }
    }

    /// The visitor as the actor of an event.
    pub fn by(&self) -> By<'_> {
        By {
            kind: self.kind,
            person: Some(&self.person),
            partner: self.partner.as_deref(),
            home_tenant: self.home_tenant.as_deref(),
            roles: &[],
        }
    }

    /// The visitor's tenant became this one.
    pub fn moves_into(&mut self, tenant: &str) {
        self.home_tenant = Some(tenant.to_owned());
    }

    fn is_partner(&self) -> bool {
        self.partner.is_some()
    }
}

/// Opens a session in a tenant for an agreement and returns its id. Credentials are typed mostly,
/// and cached now and then; then too the tenant is the one that is meant.
pub fn open(
    s: &mut Scene<'_>,
    visitor: &Visitor,
    tenant: Option<&str>,
    license_id: Option<&str>,
) -> String {
    let auth = match s.who.random.below(10) {
        _ if tenant.is_none() => "Interactive",
        _ if visitor.is_partner() => "Delegated",
        0 => "Cached",
        1 => "SingleSignOn",
        _ => "Interactive",
    };
    open_as(s, visitor, tenant, license_id, auth)
}

/// Opens a session that is authenticated in a given way.
pub fn open_as(
    s: &mut Scene<'_>,
    visitor: &Visitor,
    tenant: Option<&str>,
    license_id: Option<&str>,
    auth: &str,
) -> String {
    let session = s.out.id("s");
    let root = s.out.id("root");
    started(s, visitor, (&session, &root), tenant, license_id, auth);
    session
}

/// The log of sign-ins records a session with its root authentication.
pub fn started(
    s: &mut Scene<'_>,
    visitor: &Visitor,
    (session, root): (&str, &str),
    tenant: Option<&str>,
    license_id: Option<&str>,
    auth: &str,
) {
    let browser = s.who.random.pick(BROWSERS);
    let network = network(s);
    s.out
        .fact("SessionStarted", s.now, System::SIGN_IN)
        .by(visitor.by())
        .data(|f| {
            f.text("session", session).text("root_session", root);
            f.person("principal", &visitor.person);
            f.maybe(
                "home_tenant",
                visitor.home_tenant.as_deref().filter(|_| tenant.is_some()),
            );
            f.maybe("resource_tenant", tenant).text("auth", auth);
            f.maybe("license_id", license_id);
            f.text("browser", browser).text("network", &network);
        });
    s.wait_minutes(1, 4);
}

/// An address out of a range that is kept for documentation.
pub fn network(s: &mut Scene<'_>) -> String {
    let number = s.who.number;
    format!(
        "2001:db8:{:x}:{:x}::{:x}",
        number >> 16,
        number & 0xffff,
        s.who.random.between(1, 9)
    )
}

/// Ends a session.
pub fn close(s: &mut Scene<'_>, visitor: &Visitor, session: &str, reason: &str) {
    s.wait_minutes(1, 8);
    s.out
        .fact("SessionEnded", s.now, System::SIGN_IN)
        .by(visitor.by())
        .data(|f| {
            f.text("session", session).text("reason", reason);
        });
}
