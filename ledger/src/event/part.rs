//! Records that stand inside events.

use crate::event::field::{Count, record};
use crate::event::protected::{Note, Person};
use crate::event::word::*;
use crate::id::*;
use crate::secret::KeyFingerprint;
use crate::time::Date;

record! {
    /// A named and versioned rule that decided something.
    PolicyRef {
        /// Its name.
        name: Name,
        /// Its version.
        version: Count,
    }

    /// A person in a contact role.
    Contact {
        /// The role.
        role: ContactRole,
        /// The person.
        person: Person,
    }

    /// An amount of money.
    Money {
        /// How much, in the minor unit of the currency.
        minor_units: MinorUnits,
        /// ISO 4217 code.
        currency: Name,
    }

    /// One line of an order.
    OrderLine {
        /// What is bought.
        sku: Sku,
        /// Seats or credit.
        kind: LineKind,
        /// Seats; absent for credit.
        seats: Option<Seats>,
        /// Credit; absent for seats.
        amount: Option<Money>,
        /// Length of the term in months.
        term_months: Option<Months>,
    }

    /// One key of a redemption.
    RedeemedKey {
        /// Which key.
        key: KeyFingerprint,
        /// Seats that it carries; absent for credit.
        seats: Option<Seats>,
    }

    /// What a source saw of one subscription before and after a redemption.
    RedemptionEffect {
        /// Which subscription.
        subscription: SubscriptionId,
        /// Of what.
        sku: Option<Sku>,
        /// Seats before; absent for a new subscription.
        seats_before: Option<Seats>,
        /// Seats after.
        seats_after: Option<Seats>,
        /// Last day before; absent for a new subscription.
        end_before: Option<Date>,
        /// Last day after.
        end_after: Option<Date>,
    }

    /// What a source saw of one subscription before and after a reversal.
    ReversalEffect {
        /// Which subscription.
        subscription: SubscriptionId,
        /// Seats that were taken away.
        seats_removed: Seats,
        /// Last day after.
        end_after: Option<Date>,
    }

    /// One agreement that was remapped.
    RemapMove {
        /// Which agreement.
        license_id: LicenseId,
        /// Its subscriptions.
        subscriptions: Vec<SubscriptionId>,
        /// From which tenant.
        from: TenantId,
        /// To which tenant.
        to: TenantId,
    }

    /// A subscription as the portal showed it.
    ShownSubscription {
        /// Which subscription.
        subscription: SubscriptionId,
        /// Its seats.
        seats: Seats,
        /// Its last day.
        end: Option<Date>,
    }

    /// A file that was imported.
    ImportedFile {
        /// Its name, without the folders; absent where it is not kept. Sealed, because files are named
        /// after persons.
        name: Option<Note>,
        /// BLAKE3 of its bytes, in hexadecimal.
        digest: Name,
    }
}
