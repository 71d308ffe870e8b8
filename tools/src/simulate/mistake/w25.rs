//! W25, a remap moved more than was asked for: it moves every agreement of a customer number.

use super::lines::{Lines, need};
use super::set;
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::chapter::cases;
use crate::simulate::label::{Need, Subject};
use crate::simulate::outbox::{By, System};

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 25,
    name: "a remap moved more than was asked for",
    wrong: &[Act {
        name: "one agreement was meant, two were moved",
        also: &[],
        play: |stage| remapped(stage, false),
        needs,
    }],
    alike: &[Act {
        name: "both agreements were asked for",
        also: &[],
        play: |stage| remapped(stage, true),
        needs: |_, _| Vec::new(),
    }],
};

fn remapped(stage: &mut Stage<'_>, both: bool) -> Option<Told> {
    let mut who = stage.settled(false);
    stage.with(&mut who, |s| {
        let from = s.who.tenant_id();
        let a = stage::ordered_again_for(s, false, true);
        stage::mailed(s, a);
        stage::lands_right(s, a);
        s.wait_days(20, 40);
        let to = set::tenant_named(s, "group");
        let owner = s.who.id.clone();
        set::observed(s, &to, Some(&owner), "Public", "Purchase");
        let asked: Vec<usize> = if both { vec![0, a] } else { vec![a] };
        let case = cases::open_about(s, "Remap", &asked, None, Some((&from, &to)));
        let manager = s.who.people[crate::simulate::cast::MANAGER].clone();
        cases::authorized(s, &case, &manager, "OnlineServicesManager", None);
        let who = &*s.who;
        s.out
            .fact("TenantRemapped", s.now, System::SUPPORT)
            .by(By::SUPPORT)
            .with(&case)
            .data(|f| {
                f.text("pcn", &who.pcn);
                f.records("moves", [0, a], |f, moved| {
                    f.text("license_id", &who.agreements[moved].license_id);
                    let subs = who.subscriptions.iter();
                    let subs = subs.filter(|sub| sub.agreement == moved);
                    f.texts("subscriptions", subs.map(|sub| sub.id.as_str()));
                    f.text("from", &from).text("to", &to);
                });
                let licenses = asked.iter().map(|a| who.agreements[*a].license_id.as_str());
                f.texts("requested", licenses).text("case", &case);
            });
        for moved in [0, a] {
            set::left(s, moved, &from);
        }
        cases::close(s, &case, "Compensated");
        Some(Told::only(Subject {
            customer: s.who.id.clone(),
            // The agreement that was moved without being asked for, where there is one.
            license_id: s.who.agreements.first()?.license_id.clone(),
            tenant: to,
            expected: Some(from),
            case: Some(case),
            ..Subject::default()
        }))
    })
}

fn needs(lines: &Lines, about: &Subject) -> Vec<Need> {
    let case = about.case.as_deref().unwrap_or_default();
    let remap = lines.data("TenantRemapped", &[("case", case)]);
    let count = |list: &str| remap.and_then(|remap| remap[list].as_array()).map_or(0, Vec::len);
    vec![need(
        "what was asked for and what was moved",
        count("moves") > count("requested") && count("requested") > 0,
    )]
}
