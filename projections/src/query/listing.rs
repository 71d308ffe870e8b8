//! What can be listed: one kind of view each, with the fields that it can be asked for by.

use super::cell::{Cell, Kind, shown_words};
use super::field::{Fields, fields};
use crate::seen::Seen;
use crate::view::agreement::{self, ActivationState, AgreementView, Choice};
use crate::view::key::{self, KeyState, KeyView};
use crate::view::seat::{self, SeatState, SeatView};
use crate::view::subscription::{self, SubscriptionState, SubscriptionView};
use crate::view::tenant::{self, TenantView};
use ledger::id::{LicenseId, SubscriptionId, TenantId};
use ledger::subject::{Subject, SubjectKind};
use serde::Serialize;
use serde_json::Value;

/// A view as a row of a list.
pub trait Row {
    /// The value of one of its fields, by the field's index; absent past the last one.
    fn cell(&self, field: usize) -> Cell;
    /// The view as JSON.
    fn json(&self) -> Value;
}

impl<V: Fields + Serialize> Row for V {
    fn cell(&self, field: usize) -> Cell {
        let field = V::FIELDS.get(field);
        field.map_or(Cell::Absent, |field| (field.cell)(self))
    }

    fn json(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }
}

/// A kind of view that can be listed.
pub struct Listing {
    /// The kind of subject.
    pub kind: SubjectKind,
    /// The fields, in the order of the view.
    pub fields: fn() -> Vec<(&'static str, Kind)>,
    /// The row of a subject; `None` if no event that is seen names it.
    pub row: fn(&Seen<'_>, &Subject) -> Option<Box<dyn Row>>,
}

impl Listing {
    /// The listing of a kind of subject, if there is one.
    pub fn of(kind: SubjectKind) -> Option<&'static Self> {
        LISTINGS.iter().find(|listing| listing.kind == kind)
    }
}

fn fields_of<V: Fields>() -> Vec<(&'static str, Kind)> {
    let fields = V::FIELDS.iter();
    fields.map(|field| (field.name, (field.kind)())).collect()
}

/// Declares the listings: kind of subject, view, and how it is folded.
macro_rules! listings {
    ($($kind:ident: $view:ty = $fold:expr;)+) => {
        /// Everything that can be listed.
        pub const LISTINGS: &[Listing] = &[
            $(Listing {
                kind: SubjectKind::$kind,
                fields: fields_of::<$view>,
                row: |seen, subject| {
                    let fold: fn(&Seen<'_>, &Subject) -> Option<$view> = $fold;
                    Some(Box::new(fold(seen, subject)?))
                },
            }),+
        ];
    };
}

listings! {
    Tenant: TenantView = |seen, subject| tenant::fold(seen, &TenantId::new(&subject.id).ok()?);
    Subscription: SubscriptionView =
        |seen, subject| subscription::fold(seen, &SubscriptionId::new(&subject.id).ok()?);
    Seat: SeatView = seat::fold;
    Agreement: AgreementView =
        |seen, subject| agreement::fold(seen, &LicenseId::new(&subject.id).ok()?);
    Key: KeyView = key::fold;
}

fields! {
    TenantView {
        tenant initial_domain name country cloud created_via created_on owner domains agreements
        subscriptions seats seats_by_sku assigned administrators delegated_to retired
    }
    SubscriptionView {
        subscription tenant sku license_ids state seats end started_on grace_until redemptions
        reversed diverged
    }
    SeatView {
        machine user tenant install: present.install version: present.version
        state: present.state valid_until: present.valid_until grace_until: present.grace_until
        last_validated: present.last_validated bumped: present.bumped
        registered: present.registered agent_started: present.agent_started
        notifier_started: present.notifier_started observed_state observed_at former_installs
    }
    AgreementView {
        license_id program pcn customer state scenario choice second_choice tenant basis bound_at
        contested_by orders seats_ordered seats_landed permitted_redeemers contacts portal_status
        link_expires
    }
    KeyView {
        last5 state order license_id seats tenant redemption redeemed_at also_redeemed_in revealed
        refused replaced_by replaces expires_on
    }
}

shown_words! {
    ActivationState {
        Signed Ordered Invited Stalled LinkExpired ChosenSignIn ChosenSignUp Bound Provisioned
        Contested Reversed
    }
    Choice { SignIn SignUp }
    SubscriptionState { Trial TrialExpired Active Grace Disabled Deleted Reversed }
    SeatState { Unknown OobGrace Licensed ExtendedGrace Notifications }
    KeyState { Unknown Issued Revealed Redeemed RedeemedTwice Void Neutralised Replaced }
}
