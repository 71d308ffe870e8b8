//! The fields of every view, by name, and the words of every enum of views, in their order: what can
//! be asked for. A contract test holds them against the JSON form of the views.

use super::cell::shown_words;
use super::field::fields;
use crate::view::*;

fields! {
    activation::ActivationView {
        activation license_id orders messages links suppressed scenario choice chosen_at
        chosen_by session second_choice signed_in_to created bound_to basis
    }
    agreement::AgreementView {
        license_id program pcn customer partner distributor start end authorization_no
        cloud renews renewed_as state scenario choice chosen_at second_choice tenant basis
        bound_at guard_broken contested_by former_tenants services orders seats_ordered
        seats_landed keys messages recipient recipient_role suppressed permitted_redeemers
        vl_redeemers contacts contacts_changed portal_status portal link_expires bypass
        cases
    }
    case::CaseView {
        case state purpose channel opened_at requested_by customer finding license_ids
        wrong_tenant right_tenant escalated authorised_by authorised_at steps last_step_at
        unauthorised notified outcome closed_at residuals
    }
    credit::CreditView {
        lot state tenant azure_subscription new_subscription license_id key redemption
        currency amount consumed remaining overdrawn other_currencies activated_on
        expires_on expiry_differs lost forfeited_because reversed_at policies
    }
    customer::RelationView {
        relation first customer from until holds
    }
    customer::CustomerView {
        customer names country pcns domains agreements orders tenants_owned tenants_bound
        tenants_of_trials relations partners is_partner cases notified first_notified
    }
    email::EmailView {
        message state license_id order activation sent_at recipient public_domain role
        fallback candidates rule recipient_replaced subject repeats requested_by resent_as
        status forwarded permitted link link_state link_expires opened confirms
    }
    finding::FindingView {
        finding state decided_at decided_by evidence_digest decisions cases
    }
    key::KeyView {
        last5 state order line license_id seats amount currency tenant redemption lot
        redeemed_at reports also_redeemed_in reversed_at revealed revealed_by holders
        partners entered refused refused_because tried_in replaced_by replaces expires_on
    }
    lag::PortalStatus {
        shown at hours_after_landing lag
    }
    link::LinkView {
        link license_id messages state expires opened opened_expired first_opened sessions
        reactivated cases choice
    }
    order::LineView {
        sku kind seats amount currency term_months
    }
    order::OrderView {
        order state license_id activation program customer placed_by placed_on partner
        distributor relayed intended_tenant usage_date lines seats amended contacts
        contacts_missing keys keys_redeemed seats_redeemed redemptions messages suppressed
        portal cancel_by cancelled_late returned_after_days return_irregular
    }
    partner::DelegationView {
        tenant roles until live
    }
    partner::PartnerView {
        partner kind customer tenants domains customers agreements orders relayed received
        delegations keys_handled redemptions redeemed_into sessions escalated escalated_to
    }
    pcn::PcnView {
        pcn customers agreements tenants remapped moved_unrequested
    }
    person::InTenant {
        licences deprovisioned machines counted over_limit next_bumped bump_policy
    }
    person::PersonView {
        person contact_of contact_on_orders vl_roles administers received forwarded_to
        sessions redemptions keys_received cases authorised merged_with erased_at revealed
        tenants
    }
    redemption::KeyResult {
        last5 result refused_because seats
    }
    redemption::EffectView {
        subscription seats_before seats_after end_before end_after
    }
    redemption::RedemptionView {
        redemption state license_id order tenant other_tenants intended_tenant
        bound_tenant session principal redeemer actor partner flow entry mode confirmed
        keys partly_refused keyless seats reviewed_seats reviewed_end shown effects lots
        started_at submitted_at redeemed_at abandoned_after reports outcome_diverged
        reversed_at reversed_under portal
    }
    seat::Install {
        install version product installed_at valid_until first_validated last_validated
        bumped registered agent_started notifier_started
    }
    seat::SeatView {
        machine user tenant subscription other_tenants state install: present.install
        version: present.version product: present.product
        installed_at: present.installed_at valid_until: present.valid_until
        first_validated: present.first_validated last_validated: present.last_validated
        bumped: present.bumped registered: present.registered
        agent_started: present.agent_started notifier_started: present.notifier_started
        grace_until reduced_from counted bumped_for took_place_of user_deprovisioned
        components_missing machine_key_last5 machine_key_ttl_days machine_key_by ttl_days
        grace_days parameters_by setup_ran prompted notified failures last_failure
        last_failure_at resets reset_by reset_requested cases clock_skew_seconds
        observed_state observed_at observed_differs printed former_installs policies
    }
    seat::Printed {
        sku_id description state at error_code remaining_minutes remaining_days expires
        tenant machine_key_last5 tool
    }
    session::SessionView {
        session started_at ended_at end_reason principal home_tenant resource_tenant
        cross_tenant auth unattended root_session derived browser verified_by company
        country domain_option domain profile_created ids_added acknowledged confirmed
        reviewed_at links choices created landed_in redemptions refused agreements
        separate
    }
    subscription::EffectView {
        on what redemption undone seats end unexplained_seats unexplained_days
    }
    subscription::SubscriptionView {
        subscription tenant sku license_ids state seats end started_on grace_until
        next_change redemptions reversed diverged data_kept delete_on abandoned
        observed_enabled observed_warning observed_suspended observed_consumed
        observed_next observed_on owner_tenant notes policies effects
    }
    tenant::TenantView {
        tenant initial_domain name former_names country cloud created_via created_on owner
        domains former_domains agreements subscriptions seats seats_by_sku assigned
        assigned_by_sku overassigned machines machines_licensed administrators
        delegated_to services first_reviewed partner orders_intended keys_refused reversed
        sessions cases notified retired
    }
}

shown_words! {
    activation::Choice { SignIn SignUp }
    agreement::ActivationState {
        Signed Ordered Invited Stalled LinkExpired ChosenSignIn ChosenSignUp Bound
        Provisioned Contested Reversed
    }
    case::CaseState {
        Unknown Suspected Confirmed Authorised Executing Dismissed Closed
    }
    credit::CreditState { Unknown Active Exhausted Expired Forfeited Reversed }
    email::EmailState { Unknown Sent Delivered Bounced Opened Answered Expired }
    finding::FindingState { Suspected Confirmed Dismissed }
    key::KeyState {
        Unknown Issued Revealed Redeemed RedeemedTwice Void Neutralised Replaced
    }
    lag::Lag {
        InStep WithinFirstLimit WithinSecondLimit Contradicts Unexplained
    }
    link::LinkState { Live Used Expired }
    order::OrderState {
        Unknown Reserved Placed PartlyActivated Activated Cancelled Returned
    }
    redemption::RedemptionState {
        Unknown Started Refused OutcomeUnknown Abandoned Redeemed PartlyReversed Reversed
    }
    seat::SeatState { Unknown OobGrace Licensed ExtendedGrace Notifications }
    subscription::SubscriptionState { Trial TrialExpired Active Grace Disabled Deleted Reversed }
    subscription::Note {
        AddedAfterEnd RenewedAfterDeletion StartedAgain ConvertedAfterDataWasDeleted
        DataDeletedUnadvised RedeemedInAnotherTenant
    }
}
