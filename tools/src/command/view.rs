use crate::error::{Failure, Outcome};
use crate::format::{Format, table};
use crate::histories::{self, PointArgs};
use crate::near::near;
use crate::reveal::RevealArgs;
use crate::session::Session;
use crate::subject;
use ledger::secret::Keyring;
use ledger::subject::{Subject, SubjectKind};
use projections::view::view;
use projections::{At, Histories};
use serde_json::Value;

/// What every view command takes.
#[derive(Debug, clap::Args)]
struct ViewArgs {
    /// Which one; without it, all are listed.
    #[arg(value_name = "ID")]
    id: Option<String>,

    #[command(flatten)]
    point: PointArgs,

    #[command(flatten)]
    reveal: RevealArgs,
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
            pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
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
}

fn run(args: ViewArgs, kind: SubjectKind, session: &mut Session) -> Result<Outcome, Failure> {
    let store = session.place.open_store()?;
    let named = match &args.id {
        None => None,
        Some(id) if kind == SubjectKind::Key && id.trim().len() == 5 => {
            Some(Named::Last5(id.trim().to_ascii_uppercase()))
        }
        Some(id) => {
            let mut pepper = || Ok(session.place.open_vault(&store)?.pepper());
            let text = format!("{}:{}", kind.name(), id.trim());
            Some(Named::Subject(subject::read(&text, &mut pepper)?))
        }
    };
    let histories: Histories = histories::gather(&store)?;
    let point = args.point.point(&histories, histories::now())?;
    let at = histories.at(point);
    let place = session.place.clone();
    // What is shown of the views, with names in the place of pseudonyms where that is asked for.
    let shown = |views: Vec<Value>, request: String| {
        let texts = views.iter().map(Value::to_string);
        let labels = args.reveal.labels(&place, &store, &request, texts)?;
        Ok(views.iter().map(|view| labels.value(view)).collect())
    };
    let done = answer(&at, kind, named, &shown, session)?;
    if args.reveal.is_asked() {
        place.close(store.clone())?;
    }
    Ok(done)
}

/// Makes what is shown of some views, and records the request where it reveals something.
type Shown<'s> = dyn Fn(Vec<Value>, String) -> Result<Vec<Value>, Failure> + 's;

fn answer(
    at: &At<'_>,
    kind: SubjectKind,
    named: Option<Named>,
    shown: &Shown<'_>,
    session: &mut Session,
) -> Result<Outcome, Failure> {
    match named {
        None => list(at, kind, shown, session),
        Some(Named::Subject(subject)) => one(at, &subject, shown, session),
        Some(Named::Last5(last5)) => {
            let ending = format!("-{last5}");
            let keys = at
                .subjects(kind)
                .into_keys()
                .filter(|id| id.ends_with(&ending));
            let keys: Vec<Subject> = keys.map(|id| Subject::new(kind, id)).collect();
            match keys.as_slice() {
                [key] => one(at, key, shown, session),
                [] => Err(unknown(at, &Subject::new(kind, format!("…{last5}")))),
                several => several
                    .iter()
                    .try_for_each(|key| one(at, key, shown, session).map(|_| ()))
                    .map(|()| Outcome::Clean),
            }
        }
    }
}

enum Named {
    Subject(Subject),
    Last5(String),
}

fn one(
    at: &At<'_>,
    subject: &Subject,
    shown: &Shown<'_>,
    session: &mut Session,
) -> Result<Outcome, Failure> {
    let view = view(at, subject).ok_or_else(|| unknown(at, subject))?;
    for view in shown(vec![view], subject.to_string())? {
        match session.format {
            Format::Table => session.out.text(&page(&view, subject.kind))?,
            Format::Json => session.out.json(&view)?,
            Format::Jsonl => session.out.json_line(&view)?,
        }
    }
    Ok(Outcome::Clean)
}

fn list(
    at: &At<'_>,
    kind: SubjectKind,
    shown: &Shown<'_>,
    session: &mut Session,
) -> Result<Outcome, Failure> {
    let views = at.subjects(kind).into_keys().filter_map(|id| {
        let view = view(at, &Subject::new(kind, id))?;
        Some((Value::from(id), view))
    });
    let (ids, views): (Vec<Value>, Vec<Value>) = views.unzip();
    let count = views.len();
    let mut views = shown([ids, views].concat(), format!("{} list", kind.name()))?;
    let views = views.split_off(count).into_iter().zip(views);
    let views = views.map(|(view, id)| (cell(Some(&id)), view));
    match session.format {
        Format::Jsonl => {
            for (_, view) in views {
                session.out.json_line(&view)?;
            }
        }
        Format::Json => session
            .out
            .json(&views.map(|(_, view)| view).collect::<Value>())?,
        Format::Table => {
            let head: &[&str] = columns(kind);
            let rows = views.map(|(id, view)| {
                let id = match kind {
                    SubjectKind::Key => format!("…{}", id.rsplit('-').next().unwrap_or(&id)),
                    _ => id,
                };
                let cells = head.iter().skip(1).map(|field| cell(view.get(*field)));
                std::iter::once(id).chain(cells).collect()
            });
            let text = table::table(head, &[], rows.collect());
            session.out.text(&text)?;
        }
    }
    Ok(Outcome::Clean)
}

/// The columns of a list: the first is the id, the others are fields of the view.
fn columns(kind: SubjectKind) -> &'static [&'static str] {
    match kind {
        SubjectKind::Tenant => &[
            "tenant",
            "name",
            "seats",
            "assigned",
            "agreements",
            "retired",
        ],
        SubjectKind::Subscription => &["subscription", "tenant", "sku", "state", "seats", "end"],
        SubjectKind::Seat => &["seat", "state", "tenant", "valid_until", "grace_until"],
        SubjectKind::Agreement => &[
            "agreement",
            "program",
            "customer",
            "state",
            "tenant",
            "seats_ordered",
            "seats_landed",
        ],
        SubjectKind::Key => &["key", "state", "seats", "order", "tenant", "redeemed_at"],
        SubjectKind::Customer
        | SubjectKind::Partner
        | SubjectKind::Pcn
        | SubjectKind::Order
        | SubjectKind::Email
        | SubjectKind::Link
        | SubjectKind::Activation
        | SubjectKind::Session
        | SubjectKind::Person
        | SubjectKind::Redemption
        | SubjectKind::Credit
        | SubjectKind::Case
        | SubjectKind::Finding => &["id"],
    }
}

/// A view, a field a line: what it is first, then its state, then the rest by name.
fn page(view: &Value, kind: SubjectKind) -> String {
    let Some(map) = view.as_object() else {
        return view.to_string();
    };
    let rank = |name: &str| match name {
        "license_id" if kind == SubjectKind::Agreement => 0,
        "last5" if kind == SubjectKind::Key => 0,
        "machine" => 0,
        name if name == kind.name() => 0,
        "state" => 1,
        _ => 2,
    };
    let mut rows: Vec<(&str, String)> = map
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.as_str(), cell(Some(value))))
        .filter(|(_, text)| !text.is_empty())
        .collect();
    rows.sort_by_key(|(name, _)| rank(name));
    table::pairs(&rows)
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) => {
            let items: Vec<String> = list.iter().map(|item| cell(Some(item))).collect();
            items.join(", ")
        }
        Some(Value::Object(map)) => {
            let items: Vec<String> = map
                .iter()
                .map(|(k, v)| format!("{k} {}", cell(Some(v))))
                .collect();
            items.join(", ")
        }
        Some(other) => other.to_string(),
    }
}

fn unknown(at: &At<'_>, subject: &Subject) -> Failure {
    let kind = subject.kind.name();
    let known = at.subjects(subject.kind);
    let near = near(&subject.id, known.keys().copied());
    let hint = match near.is_empty() {
        true => format!(
            "`actl {kind}` lists those that are known at this point in time: {}",
            known.len()
        ),
        false => format!("did you mean {}?", near.join(" or ")),
    };
    Failure::new(
        format!("cannot show {subject}"),
        format!("no event names this {kind} at this point in time"),
        hint,
    )
}
