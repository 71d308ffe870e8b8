//! The channel becomes known: distributors and resellers, with the tenants that are their own.

use crate::simulate::cast::{Channel, Partner};
use crate::simulate::outbox::{By, Outbox, System};
use ledger::time::Timestamp;

/// Registers everybody in the channel.
pub fn open(channel: &Channel, out: &mut Outbox, at: Timestamp) {
    for partner in &channel.distributors {
        register(partner, "Distributor", None, out, at);
    }
    for partner in &channel.resellers {
        register(partner, "Reseller", None, out, at);
    }
}

/// Registers one partner; `customer` is the customer that it is itself.
pub fn register(
    partner: &Partner,
    kind: &str,
    customer: Option<&str>,
    out: &mut Outbox,
    at: Timestamp,
) {
    out.fact("PartnerRegistered", at, System::REGISTER)
        .by(By::VENDOR)
        .data(|f| {
            f.text("partner", &partner.id).text("kind", kind);
            f.maybe("customer", customer);
            f.texts("tenants", [partner.tenant.as_str()]);
            f.texts("domains", [partner.domain.as_str()]);
        });
    out.fact("TenantObserved", at, System::DIRECTORY).data(|f| {
        f.text("tenant", &partner.tenant);
        f.text("initial_domain", &partner.tenant);
        f.texts("domains", [partner.domain.as_str()]);
        f.text("name", &partner.name).text("cloud", "Public");
    });
}
