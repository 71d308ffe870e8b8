//! The pieces that the evidence is made of.

use super::*;

/// What is known of an order.
#[derive(Debug, Clone, Default)]
pub struct OrderFacts {
    /// Its agreement.
    pub license_id: Option<LicenseId>,
    /// Who will use it.
    pub end_customer: Option<Known<CustomerId>>,
    /// The tenants that it was meant for, the last one counts.
    pub intended_tenant: Vec<Known<TenantId>>,
    /// The partners on it.
    pub partners: BTreeSet<PartnerId>,
    /// The contacts on it.
    pub contacts: Vec<Known<Contact>>,
    /// What its lines buy, in their order.
    pub skus: Vec<Sku>,
}

/// What is known of an activation key.
#[derive(Debug, Clone, Default)]
pub struct KeyFacts {
    /// The order that it was issued for.
    pub order: Option<Known<OrderId>>,
    /// The agreement that it is under.
    pub license_id: Option<LicenseId>,
    /// The key that took its place.
    pub replaced_by: Option<Known<KeyFingerprint>>,
    /// Refusals because it was used already: in which tenant.
    pub refused_as_used: Vec<Known<Option<TenantId>>>,
    /// The line of the order that it was issued for, from 1.
    pub line: Option<u32>,
    /// Whom it was shown to.
    pub revealed: Vec<Known<RevealFacts>>,
}

/// A key that was shown to somebody.
#[derive(Debug, Clone)]
pub struct RevealFacts {
    /// To whom.
    pub to: Option<PersonId>,
    /// To which partner.
    pub partner: Option<PartnerId>,
    /// How.
    pub channel: KeyChannel,
}

/// What is known of an agreement.
#[derive(Debug, Clone, Default)]
pub struct AgreementFacts {
    /// Whose it is.
    pub customer: Option<Known<CustomerId>>,
    /// Under which program.
    pub program: Option<Program>,
    /// Its customer number.
    pub pcn: Option<Pcn>,
    /// Its contacts over time.
    pub contacts: Vec<Known<Contact>>,
    /// Its orders.
    pub orders: BTreeSet<OrderId>,
    /// The scenarios that it was assessed as.
    pub scenarios: Vec<Known<ScenarioFacts>>,
    /// The choices that were made.
    pub choices: Vec<Known<ChoiceFacts>>,
    /// Links opened for it: the session.
    pub links_opened: Vec<Known<Option<SessionId>>>,
    /// Persons that the mail went to or was forwarded to.
    pub recipients: Vec<Known<PersonId>>,
    /// Persons that the mail was forwarded to.
    pub forwarded: Vec<Known<PersonId>>,
    /// Activation statuses that a portal showed.
    pub statuses: Vec<Known<&'static str>>,
    /// The cloud that its tenant has to be in.
    pub cloud: Option<Known<Cloud>>,
    /// The partners who sold it.
    pub partners: BTreeSet<PartnerId>,
    /// Contacts that others took the place of.
    pub replaced_contacts: Vec<Known<ReplacedContact>>,
    /// Volume-licensing roles on it.
    pub roles: Vec<Known<AgreementRole>>,
    /// The agreement that it continues.
    pub renews: Option<Known<LicenseId>>,
    /// Tenants that services went to without a choice, and why.
    pub assigned: Vec<Known<(TenantId, AutoAssignCriterion)>>,
    /// Support cases about it: what each was opened for.
    pub cases: Vec<Known<CasePurpose>>,
}

/// A contact that another took the place of.
#[derive(Debug, Clone)]
pub struct ReplacedContact {
    /// In which role.
    pub role: ContactRole,
    /// Who it was.
    pub old: PersonId,
}

/// A volume-licensing role that somebody held.
#[derive(Debug, Clone)]
pub struct AgreementRole {
    /// Who.
    pub user: PersonId,
    /// Which role.
    pub role: VlRole,
    /// When it was taken away.
    pub until: Option<Timestamp>,
}

/// An assessed scenario.
#[derive(Debug, Clone)]
pub struct ScenarioFacts {
    /// Which one.
    pub scenario: Scenario,
    /// The trial's tenant.
    pub trial_tenant: Option<TenantId>,
    /// For which activation.
    pub activation: Option<ActivationId>,
}

/// The choice of an activation.
#[derive(Debug, Clone)]
pub struct ChoiceFacts {
    /// Whether Sign Up was chosen; otherwise Sign In.
    pub sign_up: bool,
    /// For which activation.
    pub activation: Option<ActivationId>,
    /// In which session.
    pub session: Option<SessionId>,
    /// By whom.
    pub principal: Option<PersonId>,
}

/// What is known of a tenant.
#[derive(Debug, Clone, Default)]
pub struct TenantFacts {
    /// The name that people know it by.
    pub initial_domain: Option<DomainName>,
    /// Customers that a source calls its owner.
    pub owners: Vec<Known<CustomerId>>,
    /// Domains that it verified.
    pub domains: Vec<Known<HeldDomain>>,
    /// How it came to be: agreement, activation and session that created it.
    pub created: Vec<Known<CreatedBy>>,
    /// Roles that were given in it.
    pub roles: Vec<Known<TenantRoleFacts>>,
    /// Partners that administration was delegated to.
    pub delegations: Vec<Known<DelegationFacts>>,
    /// The cloud that it is in.
    pub cloud: Option<Known<Cloud>>,
    /// The organisation's names in it.
    pub names: BTreeSet<Name>,
    /// Its country.
    pub country: Option<Known<Name>>,
    /// That users made it for themselves, without an administrator.
    pub self_service: Option<Known<()>>,
}

/// A role that somebody held in a tenant.
#[derive(Debug, Clone)]
pub struct TenantRoleFacts {
    /// Who.
    pub user: PersonId,
    /// Which role.
    pub role: TenantRole,
    /// When it ended, by itself or because it was taken away.
    pub until: Option<Timestamp>,
}

impl Known<TenantRoleFacts> {
    /// Whether the role gives authority to redeem (R13, P5).
    pub fn may_redeem(&self) -> bool {
        match self.value.role {
            TenantRole::GlobalAdministrator | TenantRole::BillingAdministrator => true,
            TenantRole::UserAdministrator | TenantRole::Other => false,
        }
    }

    /// Whether it was held between two instants, as far as was known by a cutoff.
    pub fn held(&self, from: Timestamp, to: Timestamp, cutoff: Option<Timestamp>) -> bool {
        let ended = self.value.until.is_some_and(|until| until < from);
        self.by(cutoff) && self.from <= to && !ended
    }
}

/// Administration of a tenant that was delegated to a partner.
#[derive(Debug, Clone)]
pub struct DelegationFacts {
    /// To which partner, where the source says.
    pub partner: Option<PartnerId>,
    /// To which tenant of the partner.
    pub partner_tenant: TenantId,
    /// Whether it carries a role that gives authority to redeem.
    pub may_redeem: bool,
    /// When it ended.
    pub until: Option<Timestamp>,
}

impl Known<DelegationFacts> {
    /// Whether it was live between two instants, as far as was known by a cutoff.
    pub fn live(&self, from: Timestamp, to: Timestamp, cutoff: Option<Timestamp>) -> bool {
        let ended = self.value.until.is_some_and(|until| until < from);
        self.by(cutoff) && self.from <= to && !ended
    }
}

/// A domain that a tenant verified.
#[derive(Debug, Clone)]
pub struct HeldDomain {
    /// The domain.
    pub name: DomainName,
    /// Its pseudonym.
    pub id: DomainId,
    /// When it was removed from the tenant again.
    pub until: Option<Timestamp>,
}

impl Known<HeldDomain> {
    /// Whether the tenant had it at a moment, as far as was known by a cutoff.
    pub fn held_at(&self, moment: Timestamp, cutoff: Option<Timestamp>) -> bool {
        self.by(cutoff) && self.value.until.is_none_or(|until| until > moment)
    }
}

/// What created a tenant.
#[derive(Debug, Clone, Default)]
pub struct CreatedBy {
    /// The agreement.
    pub license_id: Option<LicenseId>,
    /// The activation.
    pub activation: Option<ActivationId>,
    /// The session.
    pub session: Option<SessionId>,
    /// The day, where a source tells it afterwards.
    pub on: Option<Date>,
}

/// What is known of a customer.
#[derive(Debug, Clone, Default)]
pub struct CustomerFacts {
    /// Its name.
    pub name: Option<Name>,
    /// Domains that it verified.
    pub domains: Vec<Known<(DomainName, DomainId)>>,
    /// All of its names.
    pub names: BTreeSet<Name>,
    /// Customers that it belongs together with.
    pub related: Vec<Known<RelatedFacts>>,
    /// Its country.
    pub country: Option<Known<Name>>,
    /// Its first order.
    pub first_order: Option<Known<OrderId>>,
}

/// A customer that another belongs together with.
#[derive(Debug, Clone)]
pub struct RelatedFacts {
    /// Which one.
    pub customer: CustomerId,
    /// The last day.
    pub until: Option<Date>,
}

impl Known<RelatedFacts> {
    /// Whether they belonged together at a moment, as far as was known by a cutoff.
    pub fn holds(&self, moment: Timestamp, cutoff: Option<Timestamp>) -> bool {
        let ended = self.value.until.is_some_and(|until| until < moment.date());
        self.by(cutoff) && !ended
    }
}

/// What is known of a partner.
#[derive(Debug, Clone, Default)]
pub struct PartnerFacts {
    /// The customer that it is itself.
    pub customer: Option<CustomerId>,
    /// Tenants of its own.
    pub tenants: Vec<Known<TenantId>>,
    /// Domains of its addresses.
    pub domains: BTreeSet<DomainId>,
}

/// What is known of a session.
#[derive(Debug, Clone, Default)]
pub struct SessionFacts {
    /// When and how it started.
    pub started: Vec<Known<SessionStart>>,
    /// Agreements that it was used for, by what.
    pub used_for: Vec<Known<(LicenseId, &'static str)>>,
    /// When it ended.
    pub ended: Vec<Known<()>>,
    /// What was entered in it about the company.
    pub profiles: Vec<Known<ProfileFacts>>,
}

/// What somebody entered about the company.
#[derive(Debug, Clone)]
pub struct ProfileFacts {
    /// Its name.
    pub company: Name,
    /// Its country.
    pub country: Option<Name>,
}

/// The start of a session.
#[derive(Debug, Clone)]
pub struct SessionStart {
    /// The root authentication.
    pub root: Option<SessionId>,
    /// Who.
    pub principal: Option<PersonId>,
    /// The tenant that the account is at home in.
    pub home_tenant: Option<TenantId>,
    /// The tenant that it is in.
    pub resource_tenant: Option<TenantId>,
    /// How it was authenticated.
    pub auth: AuthMethod,
}

/// A trial.
#[derive(Debug, Clone)]
pub struct TrialFacts {
    /// In which tenant.
    pub tenant: TenantId,
    /// Whose.
    pub customer: Option<CustomerId>,
    /// Who opened it.
    pub contact: Option<PersonId>,
    /// Its last day.
    pub ends: Date,
}

/// An agreement that was moved.
#[derive(Debug, Clone)]
pub struct RemapFacts {
    /// From which tenant.
    pub from: TenantId,
    /// To which tenant.
    pub to: TenantId,
    /// In which support case.
    pub case: Option<CaseId>,
    /// Whether somebody asked for this agreement: it went along by itself if only others were named.
    pub asked_for: bool,
}

/// A decision about a finding.
#[derive(Debug, Clone)]
pub struct DecisionFacts {
    /// Confirmed, or dismissed.
    pub confirmed: bool,
    /// Digest of the evidence that was judged.
    pub evidence_digest: Name,
}

/// What is known of a redemption before its outcome.
#[derive(Debug, Clone, Default)]
pub struct RedemptionFacts {
    /// Through which flow.
    pub flow: Option<RedemptionFlow>,
    /// In which session.
    pub session: Option<SessionId>,
    /// For which order.
    pub order: Option<OrderId>,
    /// For which agreement.
    pub license_id: Option<LicenseId>,
    /// From which page.
    pub entry: Option<RedemptionEntry>,
    /// How the keys were redeemed.
    pub mode: Option<Known<RedemptionMode>>,
    /// What sources saw of the subscriptions before and after.
    pub effects: Vec<Known<RedemptionEffect>>,
}

/// What is known of a subscription besides its view.
#[derive(Debug, Clone, Default)]
pub struct SubscriptionFacts {
    /// In which tenant.
    pub tenant: Option<TenantId>,
    /// Of what.
    pub sku: Option<Sku>,
    /// The agreements that brought it.
    pub agreements: BTreeSet<LicenseId>,
    /// Renewals of it, and the redemption that each came by.
    pub renewed: Vec<Known<Option<RedemptionId>>>,
    /// Credit lots activated on it: the agreement of each.
    pub lots: Vec<Known<(LotId, Option<LicenseId>)>>,
    /// Corrections of its last day.
    pub corrected: Vec<Known<()>>,
}

/// The mailbox that somebody is known by. Stored in kept findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    /// Its domain.
    pub domain: DomainId,
    /// Whether anybody can have an address in that domain.
    pub public: bool,
}
