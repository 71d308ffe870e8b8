//! Edge cases of mails, choices, agreements, tenants and partners.

use serde_json::{Value, json};
use tests::told::{Told, person, pseudonym};

fn mailed(recipient: &str) -> Told {
    Told::new()
        .and(
            "2024-01-05T09:00:00Z",
            "OrderPlaced",
            json!({
                "order": "o1", "license_id": "L1", "program": "OpenLicense", "lines": [],
                "placed_by": "Vendor", "end_customer": "C1", "contacts": [],
            }),
        )
        .and(
            "2024-01-10T09:00:00Z",
            "ActivationEmailSent",
            json!({
                "message": "m1", "license_id": "L1", "order": "o1", "recipient": person(recipient),
                "role": "PrimaryContact", "link": "k1",
            }),
        )
}

#[test]
fn email_forwarded_twice_permits_the_third_person() {
    let told = mailed("ann")
        .and(
            "2024-01-12T09:00:00Z",
            "ActivationEmailForwarded",
            json!({ "message": "m1", "from": person("bob"), "to": person("cy") }),
        )
        .and(
            "2024-01-11T09:00:00Z",
            "ActivationEmailForwarded",
            json!({ "message": "m1", "from": person("ann"), "to": person("bob") }),
        )
        .and(
            "2024-01-12T09:00:00Z",
            "ActivationEmailForwarded",
            json!({ "message": "m1", "from": person("eve"), "to": person("dan") }),
        );
    let seen = told.view("email:m1", "2024-02-01T00:00:00Z");
    let permitted = seen["permitted"].as_array().expect("a list");
    for name in ["ann", "bob", "cy"] {
        assert!(permitted.contains(&json!(pseudonym(name))), "{name}");
    }
    assert!(
        !permitted.contains(&json!(pseudonym("dan"))),
        "eve never had the mail"
    );
    assert_eq!(
        seen["recipient"],
        pseudonym("ann"),
        "a forward changes no recipient of record"
    );
    assert_eq!(
        told.view("agreement:L1", "2024-02-01T00:00:00Z")["permitted_redeemers"],
        3
    );
}

#[test]
fn manager_replaced_between_send_and_redemption() {
    let told = Told::new()
        .and("2024-01-01T09:00:00Z", "AgreementSigned", json!({
            "license_id": "L1", "program": "Enterprise", "pcn": "P1", "customer": "C1", "start": "2024-01-01",
            "contacts": [{ "role": "OnlineServicesManager", "person": person("ann") }],
        }))
        .and("2024-01-10T09:00:00Z", "ActivationEmailSent", json!({
            "message": "m1", "license_id": "L1", "recipient": person("ann"), "role": "OnlineServicesManager",
        }))
        .and("2024-01-20T09:00:00Z", "ContactChanged", json!({
            "license_id": "L1", "role": "OnlineServicesManager", "old": person("ann"), "new": person("bob"),
            "via": "ChangeRequestForm",
        }));
    assert_eq!(
        told.view("email:m1", "2024-01-15T00:00:00Z")["recipient_replaced"],
        false
    );
    let seen = told.view("email:m1", "2024-02-01T00:00:00Z");
    assert_eq!(
        (&seen["recipient_replaced"], &seen["recipient"]),
        (&json!(true), &json!(pseudonym("ann")))
    );
    let agreement = told.view("agreement:L1", "2024-02-01T00:00:00Z");
    assert_eq!(
        agreement["messages"],
        json!(["m1"]),
        "a changed contact sends no mail"
    );
    assert_eq!(
        agreement["contacts"]["OnlineServicesManager"],
        pseudonym("bob")
    );
}

#[test]
fn resend_to_an_old_address() {
    let told = mailed("ann").and(
        "2024-02-01T09:00:00Z",
        "ActivationEmailResent",
        json!({
            "message": "m2", "original": "m1", "license_id": "L1", "requested_by": person("bob"),
            "recipient": person("ann"), "role": "PrimaryContact",
        }),
    );
    let first = told.view("email:m1", "2024-03-01T00:00:00Z");
    assert_eq!(first["resent_as"], json!(["m2"]));
    let again = told.view("email:m2", "2024-03-01T00:00:00Z");
    assert_eq!(
        (&again["repeats"], &again["recipient"]),
        (&json!("m1"), &json!(pseudonym("ann")))
    );
    assert_eq!(again["requested_by"], pseudonym("bob"));
    let agreement = told.view("agreement:L1", "2024-03-01T00:00:00Z");
    assert_eq!(
        agreement["link_expires"], "2024-07-05",
        "the repetition carries the same link"
    );
}

#[test]
fn link_opened_after_six_months() {
    let told = mailed("ann");
    assert_eq!(
        told.view("link:k1", "2024-07-05T12:00:00Z")["state"],
        "Live"
    );
    assert_eq!(
        told.view("agreement:L1", "2024-07-05T12:00:00Z")["state"],
        "Invited"
    );
    assert_eq!(
        told.view("agreement:L1", "2024-07-06T00:00:00Z")["state"],
        "LinkExpired"
    );
    let told = told
        .and(
            "2024-07-20T09:00:00Z",
            "ActivationLinkOpened",
            json!({ "link": "k1" }),
        )
        .and(
            "2024-07-22T09:00:00Z",
            "ActivationLinkReactivated",
            json!({ "link": "k1", "case": "SR-1", "link_expires": "2024-09-01" }),
        )
        .and(
            "2024-07-23T09:00:00Z",
            "ActivationLinkOpened",
            json!({ "link": "k1" }),
        );
    let seen = told.view("link:k1", "2024-08-01T00:00:00Z");
    assert_eq!(
        (&seen["opened"], &seen["opened_expired"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(
        (&seen["state"], &seen["expires"]),
        (&json!("Live"), &json!("2024-09-01"))
    );
    assert_eq!(
        told.view("agreement:L1", "2024-08-01T00:00:00Z")["state"],
        "Invited"
    );
    assert_eq!(
        told.view("agreement:L1", "2024-09-02T00:00:00Z")["state"],
        "LinkExpired"
    );
}

#[test]
fn sign_in_when_no_tenant_existed_breaks_the_guard() {
    let told = Told::new()
        .and(
            "2024-01-10T09:00:00Z",
            "SignInChosen",
            json!({ "license_id": "L1" }),
        )
        .and(
            "2024-01-10T09:05:00Z",
            "TenantCreated",
            json!({ "tenant": "new.example", "created_via": "SelfService" }),
        )
        .and(
            "2024-01-10T09:10:00Z",
            "ServicesBoundToTenant",
            json!({ "license_id": "L1", "tenant": "new.example", "basis": "SignIn" }),
        );
    let seen = told.view("agreement:L1", "2024-01-11T00:00:00Z");
    assert_eq!(
        (&seen["state"], &seen["guard_broken"]),
        (&json!("Bound"), &json!(true))
    );
}

fn signed(license: &str, pcn: &str, manager: &str) -> Value {
    json!({
        "license_id": license, "program": "Enterprise", "pcn": pcn, "customer": "C1", "start": "2024-01-01",
        "contacts": [{ "role": "OnlineServicesManager", "person": person(manager) }],
    })
}

#[test]
fn two_managers_for_two_agreements_of_one_number() {
    let told = Told::new()
        .and(
            "2024-01-01T09:00:00Z",
            "AgreementSigned",
            signed("L1", "P1", "ann"),
        )
        .and(
            "2024-01-01T09:00:00Z",
            "AgreementSigned",
            signed("L2", "P1", "bob"),
        );
    let at = "2024-02-01T00:00:00Z";
    let manager = |license: &str| {
        told.view(&format!("agreement:{license}"), at)["contacts"]["OnlineServicesManager"].clone()
    };
    assert_eq!(
        (manager("L1"), manager("L2")),
        (json!(pseudonym("ann")), json!(pseudonym("bob")))
    );
    let pcn = told.view("pcn:P1", at);
    assert_eq!(pcn["agreements"], json!({ "L1": null, "L2": null }));
    assert_eq!(
        told.view("customer:C1", at)["agreements"],
        json!(["L1", "L2"])
    );
}

#[test]
fn agreement_renewed_under_another_number() {
    let told = Told::new()
        .and("2024-01-01T09:00:00Z", "AgreementSigned", signed("L1", "P1", "ann"))
        .and("2025-01-01T09:00:00Z", "AgreementRenewedAs", json!({
            "old_license_id": "L1", "new_license_id": "L2", "pcn_old": "P1", "pcn_new": "P2",
        }))
        .and("2025-01-02T09:00:00Z", "ActivationEmailSent", json!({
            "message": "m1", "license_id": "L2", "recipient": person("ann"), "role": "OnlineServicesManager",
        }));
    let at = "2025-02-01T00:00:00Z";
    let new = told.view("agreement:L2", at);
    assert_eq!(
        (&new["state"], &new["renews"], &new["pcn"]),
        (&json!("Invited"), &json!("L1"), &json!("P2"))
    );
    let old = told.view("agreement:L1", at);
    assert_eq!(
        (&old["renewed_as"], &old["pcn"]),
        (&json!("L2"), &json!("P1"))
    );
    assert_eq!(told.view("pcn:P2", at)["agreements"], json!({ "L2": null }));
}

#[test]
fn tenant_renamed() {
    let told = Told::new()
        .and(
            "2024-01-01T09:00:00Z",
            "TenantObserved",
            json!({ "tenant": "a.example", "name": "Contoso Ltd", "domains": [] }),
        )
        .and(
            "2024-06-01T09:00:00Z",
            "TenantObserved",
            json!({ "tenant": "a.example", "name": "Fabrikam plc", "domains": [] }),
        );
    let seen = told.view("tenant:a.example", "2024-07-01T00:00:00Z");
    assert_eq!(
        (&seen["name"], &seen["former_names"]),
        (&json!("Fabrikam plc"), &json!(["Contoso Ltd"]))
    );
    assert_eq!(
        told.view("tenant:a.example", "2024-02-01T00:00:00Z")["name"],
        "Contoso Ltd"
    );
}

#[test]
fn domain_moved_between_tenants() {
    let domain = |tenant: &str| json!({ "tenant": tenant, "domain": "contoso.example" });
    let told = Told::new()
        .and(
            "2024-01-01T09:00:00Z",
            "DomainVerified",
            domain("a.example"),
        )
        .and("2024-06-01T09:00:00Z", "DomainRemoved", domain("a.example"))
        .and(
            "2024-06-02T09:00:00Z",
            "DomainVerified",
            domain("b.example"),
        );
    let at = "2024-07-01T00:00:00Z";
    let old = told.view("tenant:a.example", at);
    assert_eq!(
        (&old["domains"], &old["former_domains"]),
        (&json!([]), &json!(["contoso.example"]))
    );
    assert_eq!(
        told.view("tenant:b.example", at)["domains"],
        json!(["contoso.example"])
    );
    assert_eq!(
        told.view("tenant:a.example", "2024-02-01T00:00:00Z")["domains"],
        json!(["contoso.example"])
    );
}

#[test]
fn partner_by_delegation_and_in_its_own_tenant() {
    let told = Told::new()
        .and(
            "2024-01-01T09:00:00Z",
            "PartnerRegistered",
            json!({
                "partner": "P", "kind": "Reseller", "tenants": ["partner.example"], "domains": [],
            }),
        )
        .and(
            "2024-01-02T09:00:00Z",
            "DelegatedAdminGranted",
            json!({
                "tenant": "a.example", "partner": "P", "partner_tenant": "partner.example",
                "roles": ["GlobalAdministrator"], "kind": "Granular", "until": "2024-06-30",
            }),
        );
    let seen = told.view("partner:P", "2024-06-30T12:00:00Z");
    assert_eq!(seen["delegations"][0]["live"], true);
    assert_eq!(
        told.view("tenant:a.example", "2024-06-30T12:00:00Z")["delegated_to"],
        json!(["partner.example"])
    );
    assert_eq!(
        told.view("partner:P", "2024-07-01T00:00:00Z")["delegations"][0]["live"],
        false
    );
    assert_eq!(
        told.view("tenant:a.example", "2024-07-01T00:00:00Z")["delegated_to"],
        json!([])
    );
    assert_eq!(
        told.view("tenant:partner.example", "2024-02-01T00:00:00Z")["partner"],
        "P"
    );
}

/// What a partner's people do in a customer's tenant is no part of what their own tenant has.
#[test]
fn work_in_a_customers_tenant_does_not_count_in_ones_own() {
    let told = Told::new()
        .and(
            "2024-01-01T09:00:00Z",
            "TenantObserved",
            json!({ "tenant": "partner.example", "name": "Partner" }),
        )
        .and(
            "2024-01-02T09:00:00Z",
            "LicensesAssigned",
            json!({ "tenant": "a.example", "sku": "O365-E3", "users": [person("ana")] }),
        )
        .from_home("partner.example")
        .and(
            "2024-01-03T09:00:00Z",
            "TenantObserved",
            json!({ "tenant": "a.example", "name": "Customer" }),
        )
        .from_home("partner.example");
    let at = "2024-02-01T09:00:00Z";
    let customer = told.view("tenant:a.example", at);
    assert_eq!(
        (&customer["assigned"], &customer["name"]),
        (&json!(1), &json!("Customer"))
    );
    let own = told.view("tenant:partner.example", at);
    assert_eq!(
        (&own["assigned"], &own["name"]),
        (&json!(0), &json!("Partner"))
    );
}
