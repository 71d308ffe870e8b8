//! Preflights: what would be found is what an audit of everything finds with the assumed events and not without.

use super::{World, any, simulated, stories};
use ledger::event::{Fact, subject_of};
use ledger::id::{LicenseId, SessionId, TenantId};
use ledger::secret::PublicKeyring;
use ledger::subject::SubjectKind;
use projections::Point;
use replay::audit::kept::KeptFindings;
use replay::audit::preflight::{Plan, Preflight, assumed, is_by_choice, preflight};
use tests::arbitrary::Dice;

fn ids(world: &World, kind: SubjectKind) -> Vec<String> {
    let subjects = world.store.subjects(kind).expect("subjects");
    subjects.into_iter().map(|subject| subject.id).collect()
}

fn shown(judged: Option<Preflight>) -> String {
    let Some(judged) = judged else {
        return "no landing".to_owned();
    };
    let heard = &judged.heard;
    let answers = heard.answers.iter().map(|(rule, answer)| {
        let answer = answer.as_ref();
        format!("{} {:?}\n", rule.code, answer.map_err(|silence| silence.0))
    });
    format!(
        "{:#?}\n{:#?}\n{:?}\n{}\n{}\n{:#?}\n{}\n{:#?}",
        heard.landing,
        heard.expectation,
        heard.verdict,
        answers.collect::<String>(),
        judged.expected,
        judged.session,
        judged.session_known,
        judged.findings
    )
}

/// Judges some plans now: how many would give a new finding.
fn judge(world: &World, seed: u64, plans: usize) -> usize {
    let mut dice = Dice::new(seed);
    let [licenses, tenants, sessions] = [
        SubjectKind::Agreement,
        SubjectKind::Tenant,
        SubjectKind::Session,
    ]
    .map(|kind| ids(world, kind));
    if licenses.is_empty() || tenants.is_empty() {
        return 0;
    }
    let kept = KeptFindings::open(&world.store).expect("findings");
    let mut valid_at = world.points(seed, 0)[0].valid_at;
    let mut found = 0;
    for number in 0..plans {
        let plan = Plan {
            agreement: LicenseId::new(dice.of(&licenses[..]).as_str()).expect("a License ID"),
            tenant: TenantId::new(dice.of(&tenants[..]).as_str()).expect("a tenant"),
            session: match sessions.is_empty() || dice.one_in(4) {
                true => None,
                false => SessionId::new(dice.of(&sessions[..]).as_str()).ok(),
            },
        };
        let at = world.histories.at(Point::valid(valid_at));
        let known = at.knows(&subject_of(&plan.agreement));
        let by_choice = is_by_choice(&at, &plan.agreement);
        assert!(
            kept.catch_up(&world.source, valid_at, &|_, _| {})
                .expect("it can be read")
        );
        let asked = kept.is_by_choice(&world.source, valid_at, &plan.agreement);
        assert_eq!(asked.expect("it can be read"), known.then_some(by_choice));
        let person = ["somebody@contoso.example", "ines@fabrikam.example"];
        let person = (!dice.one_in(3)).then(|| *dice.of(&person));
        let facts = assumed(&plan, person, by_choice, valid_at);
        let facts: Vec<Fact> = facts
            .iter()
            .map(|value| ledger::event::json::read_fact(value, &mut PublicKeyring).expect("a fact"))
            .collect();
        let judged = kept.preflight(&world.source, valid_at, &plan, &facts);
        let judged = judged.expect("it can be read").expect("it can answer");
        let wanted = preflight(&at, &plan, facts);
        found += wanted.as_ref().map_or(0, |wanted| wanted.findings.len());
        let (judged, wanted) = (shown(judged), shown(wanted));
        if judged != wanted {
            for (one, other) in judged.lines().zip(wanted.lines()) {
                println!(
                    "{} {one:<100} | {other}",
                    if one == other { ' ' } else { '!' }
                );
            }
            panic!("{}: {plan:?}", world.what);
        }
        // Time goes on between the questions.
        if number % 2 == 1 {
            valid_at = valid_at.plus_days(1);
        }
    }
    // Nothing of a question is kept.
    let report = kept
        .report(&world.source, valid_at)
        .expect("it can be read");
    let report = report.expect("time goes forward");
    let whole = replay::audit::audit(&world.histories.at(Point::valid(valid_at)));
    assert_eq!(
        format!("{report:?}"),
        format!("{whole:?}"),
        "{}",
        world.what
    );
    found
}

#[test]
fn what_would_be_found_in_stories_is_what_an_audit_of_everything_would_find() {
    let found: usize = (stories().enumerate())
        .map(|(seed, world)| judge(&world, seed as u64 + 1, 4))
        .sum();
    assert!(found > 20, "{found} findings");
}

#[test]
fn what_would_be_found_in_simulated_histories_is_what_an_audit_of_everything_would_find() {
    for (seed, world) in simulated().enumerate() {
        assert!(judge(&world, seed as u64 + 1, 12) > 0);
    }
}

#[test]
fn what_would_be_found_in_any_history_is_what_an_audit_of_everything_would_find() {
    for (seed, world) in any(24).enumerate() {
        judge(&world, seed as u64 + 1, 6);
    }
}
