//! The lines of a scene after the noise, and the questions that decide whether evidence survived.
//!
//! Written from the column "rule over events" of DOMAIN section 9. It shares no code with the audit:
//! it looks at the text that was written, and knows only the names of kinds and fields.

use crate::simulate::label::{Need, Subject};
use serde_json::Value;

/// The lines of one scene, as they were written.
pub struct Lines(Vec<Value>);

/// What has to hold of an event: a field of its data and the text in it.
pub type Field<'a> = (&'static str, &'a str);

impl Lines {
    /// Reads them; a line that is no JSON would be a fault of the generator and counts as lost.
    pub fn read<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        Self(
            texts
                .filter_map(|text| serde_json::from_str(text).ok())
                .collect(),
        )
    }

    /// The events of a kind whose data has these fields.
    pub fn all<'l>(&'l self, kind: &str, fields: &[Field<'_>]) -> std::vec::IntoIter<&'l Value> {
        let matching = self.0.iter().filter(|event| {
            let data = &event["data"];
            event["kind"] == kind
                && fields
                    .iter()
                    .all(|(name, value)| data[*name].as_str() == Some(*value))
        });
        matching.collect::<Vec<_>>().into_iter()
    }

    /// Whether an event of a kind has these fields.
    pub fn has(&self, kind: &str, fields: &[Field<'_>]) -> bool {
        self.all(kind, fields).next().is_some()
    }

    /// The data of the first event of a kind that has these fields.
    pub fn data<'l>(&'l self, kind: &str, fields: &[Field<'_>]) -> Option<&'l Value> {
        self.all(kind, fields).next().map(|event| &event["data"])
    }

    /// One field of the first event of a kind that has these fields.
    pub fn text<'l>(&'l self, kind: &str, fields: &[Field<'_>], name: &str) -> Option<&'l str> {
        self.data(kind, fields)?[name].as_str()
    }

    /// Whether a list in an event of this kind holds a text.
    pub fn lists(&self, kind: &str, fields: &[Field<'_>], list: &str, value: &str) -> bool {
        self.all(kind, fields).any(|event| {
            let values = event["data"][list].as_array();
            values
                .into_iter()
                .flatten()
                .any(|one| one.as_str() == Some(value))
        })
    }

    /// What landed: the redemption, the binding, the assignment or the credit.
    pub fn landing<'l>(&'l self, about: &Subject) -> Option<&'l Value> {
        let tenant = about.tenant.as_str();
        if let Some(redemption) = &about.redemption {
            return self.data("KeysRedeemed", &[("redemption", redemption)]);
        }
        let license = about.license_id.as_str();
        let fields = [("license_id", license), ("tenant", tenant)];
        self.data("ServicesBoundToTenant", &fields)
            .or_else(|| self.data("ServicesAutoAssigned", &fields))
            .or_else(|| self.data("CreditLotActivated", &fields))
    }

    /// What landed, as evidence.
    pub fn landed(&self, about: &Subject) -> Need {
        need("the landing", self.landing(about).is_some())
    }

    /// The record of the sign-in that the landing came from.
    pub fn signed_in(&self, about: &Subject) -> Need {
        let session = about.session.as_deref().unwrap_or_default();
        need(
            "the sign-in",
            self.has("SessionStarted", &[("session", session)]),
        )
    }

    /// Something that says which tenant was meant: the order, an earlier binding, or the domain.
    pub fn expected(&self, about: &Subject) -> Need {
        let what = "the tenant that was meant";
        let Some(expected) = about.expected.as_deref() else {
            return need(what, false);
        };
        let order = about.order.as_deref().unwrap_or_default();
        let on_order = [("order", order), ("intended_tenant", expected)];
        let customer = about.customer.as_str();
        need(
            what,
            self.has("OrderPlaced", &on_order)
                || self.has("ServicesBoundToTenant", &[("tenant", expected)])
                || self.has("DomainVerified", &[("tenant", expected)])
                || self.has(
                    "TenantObserved",
                    &[("tenant", expected), ("owner", customer)],
                ),
        )
    }

    /// Somebody else owns the tenant that it reached: a source names another owner, or that tenant
    /// belongs to another customer by its domain.
    pub fn owned_by_another(&self, about: &Subject) -> Need {
        let of_tenant = [("tenant", about.tenant.as_str())];
        let owners = self.all("TenantObserved", &of_tenant);
        let mut owners = owners.filter_map(|event| event["data"]["owner"].as_str());
        need(
            "whose tenant it is",
            owners.any(|owner| owner != about.customer)
                && self.has("OrderPlaced", &[("end_customer", &about.customer)]),
        )
    }

    /// Somebody else owns the tenant, where no order says whose it should be.
    pub fn owned_by_another_customer(&self, about: &Subject) -> Need {
        let of_tenant = [("tenant", about.tenant.as_str())];
        let owners = self.all("TenantObserved", &of_tenant);
        let mut owners = owners.filter_map(|event| event["data"]["owner"].as_str());
        need(
            "whose tenant it is",
            owners.any(|owner| owner != about.customer),
        )
    }

    /// Who was sent or forwarded the mail of the activation, or holds a role on the agreement.
    pub fn may_redeem(&self, about: &Subject, person: &str) -> bool {
        let license = about.license_id.as_str();
        let role = self.all(
            "VlRoleAssigned",
            &[("license_id", license), ("user", person)],
        );
        let roles = [
            "Administrator",
            "ProductKeysReader",
            "OnlineServicesManager",
        ];
        let mut role = role.filter_map(|event| event["data"]["role"].as_str());
        let sent = self.all("ActivationEmailSent", &[("license_id", license)]);
        let mut messages = sent.map(|event| &event["data"]);
        role.any(|role| roles.contains(&role))
            || messages.any(|mail| {
                let message = mail["message"].as_str().unwrap_or_default();
                mail["recipient"].as_str() == Some(person)
                    || self.reached(message, mail["recipient"].as_str(), person)
            })
    }

    /// Whether a message went from one person to another, by however many forwards.
    fn reached(&self, message: &str, from: Option<&str>, person: &str) -> bool {
        let mut held: Vec<&str> = from.into_iter().collect();
        let mut looked = 0;
        while looked < held.len() {
            let holder = held[looked];
            looked += 1;
            let fields = [("message", message), ("from", holder)];
            for event in self.all("ActivationEmailForwarded", &fields) {
                let to = event["data"]["to"].as_str().unwrap_or_default();
                if !held.contains(&to) {
                    held.push(to);
                }
            }
        }
        held.contains(&person)
    }

    /// The person who redeemed.
    pub fn redeemer<'l>(&'l self, about: &Subject) -> Option<&'l str> {
        self.landing(about)?["redeemer"].as_str()
    }
}

/// A piece of evidence.
pub fn need(what: &'static str, met: bool) -> Need {
    Need { what, met }
}
