//! WTR020: a key that got out.

use super::{Case, Check, Hit, Rule, Severity, Silence};
use crate::audit::authority::{Standing, belongs_to_customer, standing};
use ledger::event::word::{KeyChannel, RedemptionEntry, RedemptionFlow};
use ledger::id::{EventId, Name};
use std::collections::BTreeSet;

pub(super) const RULE: Rule = Rule {
    code: "WTR020",
    name: "a key that got out",
    severity: Severity::Critical,
    meaning: "The key had been read out on the telephone or handed over in a file, and was redeemed on the public page, in another country, by somebody who shares no domain, customer or partner with the order.",
    needs: "how the key was shown; the page that it was redeemed on; the country of the customer, and that of the tenant or of what was entered there",
    counter_evidence: "nothing lowers it: any relation silences the rule",
    false_positives: "a new customer with a new domain: it is in the same country, or bears the customer's name, and the rule is silent",
    compensation: "reissue the key, have the old one blocked, and report it",
    parameters: &[],
    inputs: &[
        "KeyRevealed.channel",
        "KeyRevealed.to",
        "RedemptionStarted.flow",
        "RedemptionStarted.entry",
        "CustomerRegistered.country",
        "CustomerRegistered.names",
        "TenantCreated.country",
        "TenantCreated.company",
        "TenantObserved.country",
        "ProfileEntered.company",
        "ProfileEntered.country",
        "KeysRedeemed.redeemer",
    ],
    check: Check::Landing(check),
};

fn check(case: &Case<'_>) -> Result<Hit, Silence> {
    case.must_not_be_as_expected()?;
    let (landing, evidence) = (case.landing, case.evidence);
    let keys = landing.keys.iter().filter_map(|key| evidence.keys.get(key));
    let shown = keys
        .flat_map(|key| &key.revealed)
        .find(|shown| match shown.value.channel {
            KeyChannel::Phone | KeyChannel::File => shown.by(Some(landing.cutoff())),
            KeyChannel::Portal => false,
        });
    let shown = shown.ok_or("no key of it was read out or handed over in a file")?;
    let public = landing.redemptions.iter().any(|redemption| {
        let facts = evidence.redemptions.get(redemption);
        facts.is_some_and(|facts| facts.entry == Some(RedemptionEntry::PublicPage))
    });
    if !public && landing.flow != Some(RedemptionFlow::Setupbusiness) {
        return Err(Silence("it was not redeemed on the public page"));
    }
    let strange = |person: &_| standing(*person, landing, evidence) == Standing::Stranger;
    if !landing.persons.iter().all(strange) || !landing.partners.is_empty() {
        return Err(Silence("who did it has to do with the order"));
    }
    if belongs_to_customer(&landing.tenant, landing, evidence) {
        return Err(Silence("the tenant is the customer's"));
    }
    let customer = evidence.customers.get(case.customer()?);
    let customer = customer.ok_or("nothing is known of the customer")?;
    let country = customer
        .country
        .as_ref()
        .ok_or("the customer's country is not known")?;
    let there = Place::of(case);
    let same = |name: &Name| name.to_string().to_lowercase();
    let names: BTreeSet<String> = customer.names.iter().map(same).collect();
    if there
        .names
        .iter()
        .map(same)
        .any(|name| names.contains(&name))
    {
        return Err(Silence("it bears the customer's name there"));
    }
    if there.countries.is_empty() {
        return Err(Silence("the country that it was redeemed in is not known"));
    }
    let abroad = there
        .countries
        .iter()
        .all(|(_, other)| *other != country.value);
    if !abroad {
        return Err(Silence("it was redeemed in the customer's country"));
    }
    let mut hit = Hit::new(Severity::Critical, 900);
    let why = match shown.value.channel {
        KeyChannel::Phone => "the key was read out on the telephone",
        KeyChannel::File | KeyChannel::Portal => "the key was handed over in a file",
    };
    hit.evidence.push((shown.event, why.to_owned()));
    for (event, other) in there.countries {
        hit.evidence
            .push((event, format!("it was redeemed in {other}")));
    }
    let home = &country.value;
    hit.evidence
        .push((country.event, format!("the customer is in {home}")));
    Ok(hit)
}

/// Where something was redeemed, as the tenant and what was entered in the session say.
#[derive(Default)]
struct Place {
    names: BTreeSet<Name>,
    countries: Vec<(EventId, Name)>,
}

impl Place {
    fn of(case: &Case<'_>) -> Self {
        let mut place = Self::default();
        if let Some(tenant) = case.evidence.tenants.get(&case.landing.tenant) {
            place.names.extend(tenant.names.iter().cloned());
            let country = tenant.country.iter();
            place
                .countries
                .extend(country.map(|c| (c.event, c.value.clone())));
        }
        let session = case.landing.session.as_ref();
        let session = session.and_then(|session| case.evidence.sessions.get(session));
        for profile in session.into_iter().flat_map(|session| &session.profiles) {
            place.names.insert(profile.value.company.clone());
            let country = profile.value.country.iter();
            place
                .countries
                .extend(country.map(|c| (profile.event, c.clone())));
        }
        place
    }
}
