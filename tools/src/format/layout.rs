//! Which fields of a view stand where: the columns of a list, the groups of a page.

use ledger::subject::SubjectKind;

/// The columns of a list, after the id.
pub fn columns(kind: SubjectKind) -> &'static [&'static str] {
    match kind {
        SubjectKind::Customer => &["names", "country", "domains", "agreements", "tenants_bound"],
        SubjectKind::Partner => &["kind", "tenants", "customers", "redemptions"],
        SubjectKind::Agreement => &[
            "program",
            "customer",
            "state",
            "tenant",
            "seats_ordered",
            "seats_landed",
        ],
        SubjectKind::Pcn => &["customers", "tenants", "remapped"],
        SubjectKind::Order => &[
            "state",
            "license_id",
            "customer",
            "placed_on",
            "seats",
            "seats_redeemed",
        ],
        SubjectKind::Key => &["state", "seats", "order", "tenant", "redeemed_at"],
        SubjectKind::Email => &[
            "state",
            "license_id",
            "sent_at",
            "role",
            "recipient",
            "link_expires",
        ],
        SubjectKind::Link => &["state", "license_id", "expires", "opened"],
        SubjectKind::Activation => &["license_id", "choice", "chosen_at", "bound_to"],
        SubjectKind::Session => &[
            "started_at",
            "auth",
            "principal",
            "resource_tenant",
            "agreements",
            "separate",
        ],
        SubjectKind::Person => &["administers", "redemptions", "keys_received"],
        SubjectKind::Tenant => &["name", "seats", "assigned", "agreements", "retired"],
        SubjectKind::Subscription => &["tenant", "sku", "state", "seats", "end"],
        SubjectKind::Redemption => &[
            "state",
            "redeemed_at",
            "license_id",
            "tenant",
            "mode",
            "seats",
        ],
        SubjectKind::Credit => &["state", "tenant", "remaining", "currency", "expires_on"],
        SubjectKind::Seat => &["state", "tenant", "user", "valid_until", "reduced_from"],
        SubjectKind::Case => &[
            "state",
            "purpose",
            "customer",
            "wrong_tenant",
            "right_tenant",
            "opened_at",
        ],
        SubjectKind::Finding => &["state", "decided_at", "cases"],
    }
}

/// A group of a page: its title and its fields.
pub type Group = (&'static str, &'static [&'static str]);

/// The groups of a page. Fields that no group names come last.
pub fn groups(kind: SubjectKind) -> &'static [Group] {
    match kind {
        SubjectKind::Tenant => &[
            (
                "who",
                &[
                    "name",
                    "initial_domain",
                    "domains",
                    "country",
                    "cloud",
                    "owner",
                    "created_via",
                    "created_on",
                    "retired",
                ],
            ),
            (
                "licences",
                &[
                    "agreements",
                    "subscriptions",
                    "seats",
                    "seats_by_sku",
                    "assigned",
                    "assigned_by_sku",
                    "overassigned",
                ],
            ),
            ("machines", &["machines", "machines_licensed"]),
            ("administration", &["administrators", "delegated_to"]),
        ],
        SubjectKind::Subscription => &[
            ("what", &["tenant", "sku", "seats", "license_ids"]),
            ("term", &["started_on", "end", "grace_until", "next_change"]),
            (
                "comes from",
                &["redemptions", "reversed", "effects", "policies", "notes"],
            ),
            (
                "what sources showed",
                &[
                    "observed_on",
                    "observed_enabled",
                    "observed_warning",
                    "observed_suspended",
                    "observed_consumed",
                    "observed_next",
                    "diverged",
                ],
            ),
        ],
        SubjectKind::Seat => &[
            (
                "whose",
                &[
                    "tenant",
                    "user",
                    "subscription",
                    "other_tenants",
                    "user_deprovisioned",
                ],
            ),
            (
                "licence",
                &[
                    "valid_until",
                    "grace_until",
                    "reduced_from",
                    "last_validated",
                    "last_failure",
                    "last_failure_at",
                    "counted",
                    "bumped",
                    "registered",
                ],
            ),
            (
                "install",
                &[
                    "install",
                    "version",
                    "product",
                    "installed_at",
                    "agent_started",
                    "notifier_started",
                    "components_missing",
                    "former_installs",
                ],
            ),
            (
                "what tools print",
                &[
                    "observed_state",
                    "observed_at",
                    "observed_differs",
                    "printed",
                ],
            ),
        ],
        SubjectKind::Agreement => &[
            (
                "what",
                &[
                    "program",
                    "customer",
                    "pcn",
                    "partner",
                    "distributor",
                    "start",
                    "end",
                    "authorization_no",
                    "orders",
                    "seats_ordered",
                    "seats_landed",
                    "keys",
                ],
            ),
            (
                "activation",
                &[
                    "messages",
                    "recipient",
                    "recipient_role",
                    "link_expires",
                    "suppressed",
                    "scenario",
                    "choice",
                    "chosen_at",
                    "second_choice",
                    "portal_status",
                ],
            ),
            (
                "tenant",
                &[
                    "tenant",
                    "basis",
                    "bound_at",
                    "services",
                    "contested_by",
                    "former_tenants",
                    "guard_broken",
                ],
            ),
            (
                "people",
                &["contacts", "permitted_redeemers", "vl_redeemers", "cases"],
            ),
        ],
        SubjectKind::Key => &[
            (
                "what",
                &[
                    "order",
                    "line",
                    "license_id",
                    "seats",
                    "amount",
                    "currency",
                    "expires_on",
                ],
            ),
            (
                "redeemed",
                &[
                    "tenant",
                    "redeemed_at",
                    "redemption",
                    "lot",
                    "reports",
                    "also_redeemed_in",
                    "reversed_at",
                ],
            ),
            (
                "handling",
                &[
                    "revealed",
                    "revealed_by",
                    "holders",
                    "partners",
                    "entered",
                    "refused",
                    "refused_because",
                    "tried_in",
                    "replaces",
                    "replaced_by",
                ],
            ),
        ],
        SubjectKind::Order => &[
            (
                "what",
                &[
                    "license_id",
                    "program",
                    "customer",
                    "partner",
                    "distributor",
                    "intended_tenant",
                    "lines",
                    "seats",
                    "placed_by",
                    "placed_on",
                    "usage_date",
                    "cancel_by",
                    "amended",
                ],
            ),
            (
                "activation",
                &[
                    "keys",
                    "keys_redeemed",
                    "seats_redeemed",
                    "redemptions",
                    "messages",
                    "suppressed",
                    "portal",
                ],
            ),
            ("people", &["contacts", "contacts_missing"]),
        ],
        SubjectKind::Email => &[
            (
                "what",
                &[
                    "license_id",
                    "order",
                    "sent_at",
                    "subject",
                    "repeats",
                    "resent_as",
                    "status",
                ],
            ),
            (
                "to whom",
                &[
                    "recipient",
                    "role",
                    "fallback",
                    "candidates",
                    "rule",
                    "public_domain",
                    "recipient_replaced",
                    "forwarded",
                    "permitted",
                ],
            ),
            ("link", &["link", "link_state", "link_expires", "opened"]),
        ],
        SubjectKind::Session => &[
            (
                "who",
                &[
                    "principal",
                    "home_tenant",
                    "resource_tenant",
                    "cross_tenant",
                    "auth",
                    "unattended",
                    "root_session",
                    "derived",
                ],
            ),
            ("when", &["started_at", "ended_at", "end_reason"]),
            (
                "did",
                &[
                    "agreements",
                    "separate",
                    "redemptions",
                    "landed_in",
                    "links",
                    "choices",
                    "created",
                    "confirmed",
                    "refused",
                ],
            ),
        ],
        SubjectKind::Redemption => &[
            (
                "what",
                &[
                    "license_id",
                    "order",
                    "keys",
                    "seats",
                    "mode",
                    "flow",
                    "entry",
                    "effects",
                    "lots",
                ],
            ),
            (
                "where",
                &["tenant", "intended_tenant", "bound_tenant", "other_tenants"],
            ),
            (
                "who",
                &[
                    "redeemer",
                    "partner",
                    "actor",
                    "session",
                    "principal",
                    "confirmed",
                ],
            ),
            (
                "when",
                &[
                    "started_at",
                    "submitted_at",
                    "redeemed_at",
                    "reversed_at",
                    "portal",
                ],
            ),
        ],
        SubjectKind::Credit => &[
            (
                "what",
                &[
                    "tenant",
                    "azure_subscription",
                    "license_id",
                    "key",
                    "redemption",
                ],
            ),
            (
                "credit",
                &[
                    "amount",
                    "consumed",
                    "remaining",
                    "lost",
                    "currency",
                    "overdrawn",
                ],
            ),
            ("term", &["activated_on", "expires_on"]),
        ],
        SubjectKind::Customer => &[
            (
                "who",
                &[
                    "names",
                    "country",
                    "domains",
                    "pcns",
                    "relations",
                    "is_partner",
                ],
            ),
            ("licences", &["agreements", "orders", "partners"]),
            (
                "tenants",
                &["tenants_bound", "tenants_owned", "tenants_of_trials"],
            ),
        ],
        SubjectKind::Partner => &[
            ("who", &["kind", "customer", "tenants", "domains"]),
            (
                "channel",
                &["customers", "agreements", "orders", "relayed", "received"],
            ),
            (
                "did",
                &["redemptions", "redeemed_into", "keys_handled", "sessions"],
            ),
            ("administration", &["delegations"]),
        ],
        SubjectKind::Case => &[
            (
                "what",
                &[
                    "purpose",
                    "finding",
                    "customer",
                    "license_ids",
                    "wrong_tenant",
                    "right_tenant",
                    "channel",
                ],
            ),
            (
                "when",
                &["opened_at", "authorised_at", "last_step_at", "closed_at"],
            ),
            (
                "done",
                &[
                    "requested_by",
                    "authorised_by",
                    "steps",
                    "notified",
                    "outcome",
                    "residuals",
                ],
            ),
        ],
        SubjectKind::Pcn
        | SubjectKind::Link
        | SubjectKind::Activation
        | SubjectKind::Person
        | SubjectKind::Finding => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use projections::query::LISTINGS;

    #[test]
    fn layouts_name_fields_that_there_are_and_none_twice() {
        for listing in LISTINGS {
            let fields: Vec<&str> = (listing.fields)().iter().map(|(name, _)| *name).collect();
            let known = |name: &&str| fields.contains(name);
            let kind = listing.kind.name();
            for column in columns(listing.kind) {
                assert!(known(column), "the column {column} of {kind}");
            }
            let mut grouped: Vec<&str> = Vec::new();
            for (_, names) in groups(listing.kind) {
                for name in *names {
                    assert!(known(name), "the field {name} of {kind}");
                    assert!(!grouped.contains(name), "{name} of {kind} stands twice");
                    grouped.push(name);
                }
            }
        }
    }
}
