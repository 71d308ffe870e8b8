//! Compensation over the stories: a plan says what is done and what comes next, its steps are
//! recorded once, and what comes out is what would have happened without the mistake.

mod refusals;

use ledger::event::json::read_fact;
use ledger::event::{Event, Fact, Payload, Source};
use ledger::id::{CaseId, Name, Position, Seats};
use ledger::secret::PublicKeyring;
use ledger::store::{Condition, Known, Store};
use ledger::subject::{Subject, SubjectKind};
use ledger::time::{FixedClock, Occurred, Timestamp};
use projections::view::{projection, subscription, tenant, view};
use projections::{At, Histories, Point};
use replay::audit::{FindingState, audit};
use replay::compensate::{Action, Details, Plan, Refusal, StepState, apply, plan};
use serde_json::{Value, json};
use tests::story;

const WRONG: &str = "halloranfoods.onmicrosoft.example";
const RIGHT: &str = "fennimorebikes.onmicrosoft.example";

fn instant(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

fn facts_of(name: &str) -> Vec<Fact> {
    let stories = story::all();
    let story = stories.into_iter().find(|story| story.name == name);
    story
        .unwrap_or_else(|| panic!("there is no story {name}"))
        .facts
}

/// The facts of a story that had happened before an instant.
fn until(name: &str, end: &str) -> Vec<Fact> {
    let mut facts = facts_of(name);
    facts.retain(|fact| fact.occurred_at.start < instant(end));
    facts
}

fn fact(value: Value) -> Fact {
    read_fact(&value, &mut PublicKeyring).expect("the event can be read")
}

/// The events of the story of the cached credentials before its case was opened: the mistake is
/// made, and nothing is repaired yet.
fn mistake() -> Vec<Fact> {
    until(
        "open-cached-credentials-compensated",
        "2024-03-14T11:00:00Z",
    )
}

fn gathered(facts: &[Fact]) -> Histories {
    Histories::gather(story::record(facts.to_vec()))
}

/// The one finding of these facts about a landing.
fn finding(at: &At<'_>) -> String {
    let mut findings = audit(at).findings;
    findings.retain(|finding| finding.landed().is_some());
    assert_eq!(findings.len(), 1, "{findings:#?}");
    findings[0].id.to_string()
}

fn planned(facts: &[Fact], valid_at: &str) -> Result<Plan, Refusal> {
    let histories = gathered(facts);
    let at = histories.at(Point::valid(instant(valid_at)));
    plan(&at, &finding(&at))
}

fn details(occurred_at: &str, record: &str) -> Details {
    let source = Source {
        system: Name::new("clerk").expect("a name"),
        record: Some(Name::new(record).expect("a name")),
    };
    Details::new(Occurred::parse(occurred_at).expect("a time"), source)
}

/// Applies a step to a list of facts, as a clerk would.
fn step(facts: &mut Vec<Fact>, number: usize, details: &Details) -> Result<bool, Refusal> {
    let histories = gathered(facts);
    let at = histories.at(Point::valid(instant("2024-06-01T00:00:00Z")));
    let applied = apply(&at, &finding(&at), number, details, &mut PublicKeyring)?;
    if !applied.known {
        facts.extend(applied.facts);
    }
    Ok(applied.known)
}

fn number_of(plan: &Plan, action: Action) -> usize {
    plan.steps
        .iter()
        .find(|step| step.action == action)
        .expect("the step is there")
        .number
}

/// Every step of the story with invented details, in order; the last is the closing of the case.
fn all_steps(plan: &Plan) -> Vec<(usize, Details)> {
    use ledger::event::word::AuthorizingRole::PrimaryContact;
    let day = |minute: usize| format!("2024-03-20T10:{minute:02}:00Z");
    let actions = [
        Action::Confirm,
        Action::OpenCase,
        Action::Authorise(PrimaryContact),
        Action::Reverse,
        Action::Reissue,
        Action::SignIn,
        Action::Redeem,
        Action::NotifyAffected,
        Action::NotifyOther,
        Action::Close,
    ];
    let details = actions.into_iter().enumerate().map(|(minute, action)| {
        let mut details = details(&day(minute), &format!("c-{minute}"));
        match action {
            Action::OpenCase => details.case = CaseId::new("SR-1").ok(),
            Action::Authorise(_) => {
                details.person = Some("mara.quist@fennimore.example".to_owned())
            }
            Action::Reissue => details.keys = vec!["QWERT-ASDFG-ZXCVB-12345-POIU7".to_owned()],
            Action::SignIn => details.session = Some("s-new".to_owned()),
            Action::Redeem => {
                details.redemption = Some("rd-new".to_owned());
                details.subscription = Some("sub-new".to_owned());
            }
            _ => {}
        }
        (number_of(plan, action), details)
    });
    details.collect()
}

#[test]
fn the_plan_of_a_fresh_mistake_is_exact_and_begins_with_the_confirmation() {
    let plan = planned(&mistake(), "2024-03-14T11:00:00Z").expect("a plan");
    assert_eq!((plan.wrong.as_str(), plan.right.as_str()), (WRONG, RIGHT));
    assert!(plan.proof.is_exact(), "{:#?}", plan.proof.residue);
    assert!(plan.proof.compared.contains(&format!("tenant:{WRONG}")));
    assert!(
        plan.proof
            .compared
            .contains(&"subscription:sub-fennimore-h".to_owned())
    );
    // The comparison is with a history that does not know the mistake.
    let traces = plan.proof.traces.iter();
    let traces: Vec<&str> = traces.map(|trace| trace.field.as_str()).collect();
    assert!(
        traces.contains(&"reversed") && traces.contains(&"redeemed_at"),
        "{traces:?}"
    );
    assert_eq!(plan.next().map(|step| step.number), Some(1));
    assert_eq!(plan.users_to_free, 0);
    let touched = &plan.radius.subscriptions[0];
    assert_eq!((touched.seats.0, touched.seats_after.0), (85, 60));
    assert_eq!(touched.end, touched.end_after);
    assert_eq!(plan.radius.users_since, 3);
    for part in ["61914040", "61142675ZZE9697", "…T9BKQ", WRONG, RIGHT] {
        assert!(
            plan.request.contains(part),
            "{part} is missing in {}",
            plan.request
        );
    }
    let said = format!("{plan:?}");
    assert!(!said.contains("D6X7F") && !said.contains("quist"), "{said}");
}

#[test]
fn steps_that_the_record_shows_are_done_and_the_whole_story_is_complete() {
    let facts = facts_of("open-cached-credentials-compensated");
    let plan = planned(&facts, "2024-05-01T00:00:00Z").expect("a plan");
    assert!(plan.proof.is_exact(), "{:#?}", plan.proof.residue);
    let done = |action| {
        let step = plan.steps.iter().find(|step| step.action == action);
        matches!(step.expect("the step").state, StepState::Done { .. })
    };
    for action in [
        Action::OpenCase,
        Action::Reverse,
        Action::Reissue,
        Action::SignIn,
        Action::Redeem,
        Action::Close,
    ] {
        assert!(done(action), "{action:?}");
    }
    // Nobody recorded a confirmation in this story: it is shown, not passed over silently.
    assert_eq!(plan.next().map(|step| step.action), Some(Action::Confirm));
}

#[test]
fn all_steps_applied_compensate_the_finding_and_leave_what_would_have_been_without_it() {
    let mut facts = mistake();
    let plan = planned(&facts, "2024-06-01T00:00:00Z").expect("a plan");
    for (number, details) in all_steps(&plan) {
        let known = step(&mut facts, number, &details);
        assert_eq!(known, Ok(false), "step {number}");
    }
    let point = Point::valid(instant("2024-04-01T00:00:00Z"));
    let histories = gathered(&facts);
    let at = histories.at(point);
    let report = audit(&at);
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].state, FindingState::Compensated);
    let after = plan_of(&facts);
    assert!(
        after.is_complete() && after.proof.is_exact(),
        "{:#?}",
        after.steps
    );

    // Without the mistake, told independently of the plan: the same events but the wrong landing's
    // and those of its repair.
    let mut without = mistake();
    without.retain(|fact| {
        let text = format!("{:?}", fact.payload);
        !text.contains("rd-894535")
    });
    let without = gathered(&without);
    // What tells of the mistake and its repair stays in view; how things stand is the same.
    let shown = |at: &At<'_>, id: &str| {
        let subject = Subject::new(SubjectKind::Tenant, id);
        let traces = projection(SubjectKind::Tenant).expect("registered").traces;
        let mut view = view(at, &subject).expect("a view");
        let fields = view.as_object_mut().expect("an object");
        fields.retain(|field, _| !traces.contains(&field.as_str()));
        view
    };
    assert_eq!(shown(&at, WRONG), shown(&without.at(point), WRONG));
    assert_eq!(shown(&at, RIGHT)["seats"], 25);
    let sub = ledger::id::SubscriptionId::new("sub-fennimore-h").expect("an id");
    let mut compensated = subscription::fold(&at, &sub).expect("a view");
    let mut clean = subscription::fold(&without.at(point), &sub).expect("a view");
    // The reversed redemption stays in view.
    clean.reversed = compensated.reversed.clone();
    compensated.effects.retain(|effect| !effect.undone);
    assert_eq!(compensated, clean);
}

fn plan_of(facts: &[Fact]) -> Plan {
    planned(facts, "2024-06-01T00:00:00Z").expect("a plan")
}

#[test]
fn a_step_is_recorded_once_and_in_its_order() {
    let mut facts = mistake();
    let steps = all_steps(&plan_of(&facts));
    let (second, details_of_second) = &steps[1];
    let refused = step(&mut facts, *second, details_of_second);
    assert!(
        matches!(refused, Err(Refusal::NotYet { first: 1, .. })),
        "{refused:?}"
    );
    for (number, details) in &steps[..5] {
        assert_eq!(
            step(&mut facts, *number, details),
            Ok(false),
            "step {number}"
        );
        let count = facts.len();
        assert_eq!(
            step(&mut facts, *number, details),
            Ok(true),
            "step {number} again"
        );
        assert_eq!(facts.len(), count);
        let mut other = details.clone();
        other.source.record = Name::new("another").ok();
        let refused = step(&mut facts, *number, &other);
        assert!(
            matches!(refused, Err(Refusal::RecordedOtherwise { .. })),
            "{refused:?}"
        );
    }
    let refused = step(&mut facts, 99, &steps[0].1);
    assert!(
        matches!(refused, Err(Refusal::NoSuchStep { .. })),
        "{refused:?}"
    );
}

#[test]
fn users_who_would_lose_their_seat_come_first_and_the_latest_assigned_are_proposed() {
    let mut facts = mistake();
    let users: Vec<String> = (0..62)
        .map(|n| format!("user{n}@halloran.example"))
        .collect();
    facts.push(fact(json!({
        "kind": "LicensesAssigned", "occurred_at": "2024-03-14T09:00:00Z",
        "source": { "system": "admin-center", "record": "many" },
        "data": { "tenant": WRONG, "sku": "O365-E3", "users": users }
    })));
    let plan = plan_of(&facts);
    assert_eq!((plan.users_to_free, plan.radius.users_since), (5, 65));
    assert!(plan.proof.is_exact(), "{:#?}", plan.proof.residue);
    let steps = all_steps(&plan);
    for (number, details) in &steps[..3] {
        assert_eq!(step(&mut facts, *number, details), Ok(false));
    }
    let free = number_of(&plan, Action::Unassign);
    let (reverse, details_of_reverse) = &steps[3];
    let refused = step(&mut facts, *reverse, details_of_reverse);
    assert!(
        matches!(refused, Err(Refusal::NotYet { first, .. }) if first == free),
        "{refused:?}"
    );
    let given_up = details("2024-03-20T10:02:30Z", "c-free");
    assert_eq!(step(&mut facts, free, &given_up), Ok(false));
    assert_eq!(step(&mut facts, free, &given_up), Ok(true));
    for (number, details) in &steps[3..] {
        assert_eq!(
            step(&mut facts, *number, details),
            Ok(false),
            "step {number}"
        );
    }
    let after = plan_of(&facts);
    assert!(after.is_complete() && after.proof.is_exact());
    let histories = gathered(&facts);
    let at = histories.at(Point::valid(instant("2024-04-01T00:00:00Z")));
    let wrong = ledger::id::TenantId::new(WRONG).expect("a tenant");
    let wrong = tenant::fold(&at, &wrong).expect("a view");
    assert_eq!((wrong.assigned, wrong.seats.0), (60, 60));
}

#[test]
fn a_remap_is_recorded_step_by_step_and_compensates_the_finding() {
    use ledger::event::word::AuthorizingRole::{
        AdministratorOfSource, AdministratorOfTarget, OnlineServicesManager,
    };
    let mut facts = until(
        "ea-auto-assigned-to-the-consultants-tenant",
        "2023-09-08T00:00:00Z",
    );
    let plan = plan_of(&facts);
    let actions = [
        Action::Confirm,
        Action::OpenCase,
        Action::Authorise(OnlineServicesManager),
        Action::Authorise(AdministratorOfSource),
        Action::Authorise(AdministratorOfTarget),
        Action::Remap,
        Action::NotifyAffected,
        Action::NotifyOther,
        Action::Close,
    ];
    for (minute, action) in actions.into_iter().enumerate() {
        let mut details = details(
            &format!("2023-09-20T10:{minute:02}:00Z"),
            &format!("c-{minute}"),
        );
        match action {
            Action::OpenCase => details.case = CaseId::new("SR-2").ok(),
            Action::Authorise(_) => {
                details.person = Some("ken.abara@bramerton-rail.example".to_owned())
            }
            Action::Close => details.residuals = vec!["DataNotMoved".to_owned()],
            _ => {}
        }
        let number = number_of(&plan, action);
        assert_eq!(step(&mut facts, number, &details), Ok(false), "{action:?}");
        assert_eq!(step(&mut facts, number, &details), Ok(true), "{action:?}");
    }
    let after = plan_of(&facts);
    assert!(
        after.is_complete() && after.proof.is_exact(),
        "{:#?}",
        after.steps
    );
    let histories = gathered(&facts);
    let report = audit(&histories.at(Point::valid(instant("2024-06-01T00:00:00Z"))));
    assert_eq!(report.findings[0].state, FindingState::Compensated);
}

/// Five seats more than the key carries were seen at the wrong redemption: nobody can explain them,
/// the reversal does not take them, and the plan says so.
#[test]
fn what_nobody_can_explain_stays_and_is_listed_as_residue() {
    let mut facts = mistake();
    for fact in &mut facts {
        if let Payload::KeysRedeemed(redeemed) = &mut fact.payload
            && redeemed.redemption.as_str() == "rd-894535"
        {
            redeemed.effects[0].seats_after = Some(Seats(90));
        }
    }
    let plan = plan_of(&facts);
    let residue: Vec<(&str, &str)> = plan
        .proof
        .residue
        .iter()
        .map(|one| (one.subject.as_str(), one.field.as_str()))
        .collect();
    assert!(
        residue.contains(&("subscription:sub-fennimore-h", "seats")),
        "{residue:?}"
    );
    assert!(!plan.proof.is_exact());
}

/// DOMAIN section 6: 100 seats until 2025-12-31; on 2025-10-31 a key goes in by mistake as Renew; on
/// 2025-12-01 the right renewal arrives. The reversal gives 2026-12-31.
#[test]
fn a_reversal_recomputes_the_end_date_and_never_restores_it() {
    let redeemed = |on: &str, redemption: &str, key: &str, mode: &str| {
        fact(json!({
            "kind": "KeysRedeemed", "occurred_at": on,
            "source": { "system": "admin-center", "record": redemption },
            "data": {
                "redemption": redemption, "license_id": "555", "tenant": "n.onmicrosoft.example",
                "keys": [{ "key": key, "seats": 100 }], "mode": mode,
                "effects": [{ "subscription": "sub-n", "sku": "O365-E3" }]
            }
        }))
    };
    let first = redeemed(
        "2024-12-31",
        "rd-1",
        "AAAAA-BBBBB-CCCCC-DDDDD-EEEE1",
        "NewSubscription",
    );
    let wrong = redeemed(
        "2025-10-31",
        "rd-2",
        "AAAAA-BBBBB-CCCCC-DDDDD-EEEE2",
        "RenewPlus12",
    );
    let right = redeemed(
        "2025-12-01",
        "rd-3",
        "AAAAA-BBBBB-CCCCC-DDDDD-EEEE3",
        "RenewPlus12",
    );
    let reversed = fact(json!({
        "kind": "RedemptionReversed", "occurred_at": "2025-12-05",
        "source": { "system": "support", "record": "r-1" },
        "data": { "redemption": "rd-2", "keys": ["AAAAA-BBBBB-CCCCC-DDDDD-EEEE2"] }
    }));
    let end = |facts: &[&Fact]| {
        let facts: Vec<Fact> = facts.iter().map(|fact| (*fact).clone()).collect();
        let histories = gathered(&facts);
        let at = histories.at(Point::valid(instant("2025-12-10T00:00:00Z")));
        let subject = story::subject("subscription:sub-n");
        view(&at, &subject).expect("a view")["end"].clone()
    };
    assert_eq!(end(&[&first]), "2025-12-31");
    assert_eq!(end(&[&first, &wrong]), "2026-12-31");
    assert_eq!(end(&[&first, &wrong, &right]), "2027-12-31");
    assert_eq!(end(&[&first, &wrong, &right, &reversed]), "2026-12-31");
    assert_eq!(end(&[&first, &right]), "2026-12-31");
}

#[test]
fn a_remap_moves_the_whole_customer_number_and_is_exact() {
    let facts = until(
        "ea-auto-assigned-to-the-consultants-tenant",
        "2023-09-08T00:00:00Z",
    );
    let plan = planned(&facts, "2023-09-08T00:00:00Z").expect("a plan");
    assert!(plan.proof.is_exact(), "{:#?}", plan.proof.residue);
    assert_eq!(plan.authorisers.len(), 3);
    assert_eq!(plan.radius.agreements.len(), 1);
    assert!(plan.request.contains("E8313261"), "{}", plan.request);
    let whole = facts_of("ea-auto-assigned-to-the-consultants-tenant");
    let plan = planned(&whole, "2023-12-01T00:00:00Z").expect("a plan");
    assert!(plan.proof.is_exact(), "{:#?}", plan.proof.residue);
    let remap = plan.steps.iter().find(|step| step.action == Action::Remap);
    assert!(matches!(
        remap.expect("a step").state,
        StepState::Done { .. }
    ));
}
