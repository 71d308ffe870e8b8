mod list;
mod one;
mod redemption;
mod why;

pub use redemption::Redemption;

use crate::error::{Failure, Outcome};
use crate::histories::PointArgs;
use crate::reveal::RevealArgs;
use crate::session;
use ledger::subject::SubjectKind;

/// What every view command takes.
#[derive(Debug, clap::Args)]
struct ViewArgs {
    /// Which one; without it, all are listed.
    #[arg(value_name = "ID")]
    id: Option<String>,

    #[command(flatten)]
    point: PointArgs,

    #[command(flatten)]
    list: ListArgs,

    /// Say what this field of the view comes from: what each event and the passing of time changed in
    /// it, the events without which it would be another, and the policies that decided. A field that
    /// stands deeper is named with dots.
    #[arg(long, value_name = "FIELD", requires = "id")]
    why: Option<String>,

    #[command(flatten)]
    reveal: RevealArgs,
}

/// How a list is asked for.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Lists")]
struct ListArgs {
    /// Only those of which this holds: FIELD=VALUE, or with !=, <, <=, >, >= or ~ (has this text in
    /// it) instead. Several all have to hold. Nothing after the operator means: has none.
    #[arg(long = "where", value_name = "FIELD=VALUE", conflicts_with = "id")]
    filters: Vec<String>,

    /// Sort by this field; -FIELD for the largest or latest first. Default: by id.
    #[arg(
        long,
        value_name = "FIELD",
        allow_hyphen_values = true,
        conflicts_with = "id"
    )]
    sort: Option<String>,

    /// At most so many; the cursor for the next ones is printed on standard error, and stands in
    /// the JSON document. Default: all.
    #[arg(long, value_name = "N", conflicts_with = "id")]
    limit: Option<std::num::NonZeroUsize>,

    /// Go on after the last one of a page, with the same filters and order, seen from the same point.
    #[arg(long, value_name = "CURSOR", conflicts_with_all = ["id", "as_of", "valid_at"])]
    cursor: Option<String>,

    /// Only how many there are, and the sums of their seats and amounts.
    #[arg(long, conflicts_with_all = ["id", "sort", "limit", "cursor"])]
    count: bool,
}

/// Declares the view commands: one kind of subject each.
macro_rules! view_commands {
    ($($(#[doc = $doc:literal])+ $name:ident: $kind:ident;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, clap::Args)]
        pub struct $name {
            #[command(flatten)]
            args: ViewArgs,
        }

        impl $name {
            /// Shows it.
            pub fn run(self, session: &mut session::Session) -> Result<Outcome, Failure> {
                run(self.args, SubjectKind::$kind, session)
            }
        }
    )+};
}

view_commands! {
    /// Show a tenant at any time: its agreements, subscriptions, seats and users.
    Tenant: Tenant;
    /// Show a subscription at any time: its tenant, seats, end date and state.
    Subscription: Subscription;
    /// Show a seat at any time: a machine, and the licence state of its installs.
    ///
    /// The machine can be named in clear or by its pseudonym.
    Seat: Seat;
    /// Show an agreement at any time: where its activation stands and which tenant it is bound to.
    Agreement: Agreement;
    /// Show an activation key at any time: whether and where it was redeemed.
    ///
    /// By the key itself, its last five characters, or its pseudonym.
    Key: Key;
    /// Show an order at any time: its lines, its keys, and whether it was activated.
    Order: Order;
    /// Show an activation email at any time: its recipient, its forwards, and what became of its link.
    Email: Email;
    /// Show a session at any time: who signed in where, and what was done in it.
    Session: Session;
    /// Show a lot of prepaid credit at any time: what is left of it, and until when.
    Credit: Credit;
    /// Show a customer at any time: its agreements, orders, tenants and relations.
    Customer: Customer;
    /// Show a partner at any time: its tenants, customers, delegations and redemptions.
    Partner: Partner;
    /// Show a support case at any time: what it is about, who agreed, and the steps that were done.
    Case: Case;
}

fn run(
    args: ViewArgs,
    kind: SubjectKind,
    session: &mut session::Session,
) -> Result<Outcome, Failure> {
    match &args.id {
        None => list::run(&args, kind, session),
        Some(id) => one::run(id, &args, kind, session),
    }
}
