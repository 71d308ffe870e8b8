//! W17, a personal account, or another cloud.

use super::lines::{Lines, need};
use super::set::{self, Way};
use super::stage::{self, Stage};
use super::{Act, Mistake, Told};
use crate::simulate::chapter::session::Visitor;
use crate::simulate::label::{Need, Subject};

/// The kind.
pub const MISTAKE: Mistake = Mistake {
    number: 17,
    name: "a personal account or another cloud",
    wrong: &[
        Act {
            name: "redeemed in the customer's tenant of the government cloud",
            also: &[9],
            play: |stage| in_cloud(stage, "GovernmentHigh"),
            needs,
        },
        Act {
            name: "redeemed with a personal account",
            also: &[4, 9],
            play: |stage| in_cloud(stage, "Consumer"),
            needs,
        },
        Act {
            name: "redeemed in the cloud that 21Vianet operates",
            also: &[9],
            play: |stage| in_cloud(stage, "China"),
            needs,
        },
    ],
    alike: &[Act {
        name: "the cloud of the agreement",
        also: &[],
        play: |stage| in_cloud(stage, "Public"),
        needs: |_, _| Vec::new(),
    }],
};

fn in_cloud(stage: &mut Stage<'_>, cloud: &'static str) -> Option<Told> {
    let mut who = stage.settled(true);
    stage.with(&mut who, |s| {
        let right = cloud == "Public";
        let owner = s.who.id.clone();
        let person = set::administrator(s);
        let tenant = match cloud {
            "Public" => s.who.tenant_id(),
            "Consumer" => "personal-accounts.example".to_owned(),
            _ => set::tenant_named(s, "cloud"),
        };
        let owner = Some(owner.as_str()).filter(|_| cloud != "Consumer");
        set::observed(s, &tenant, owner, cloud, "Unknown");
        if cloud != "Consumer" && !right {
            set::given_role(s, &tenant, &person, "GlobalAdministrator", None);
        }
        s.wait_days(35, 45);
        let a = stage::ordered_again(s, true);
        stage::mailed(s, a);
        let visitor = Visitor::from_elsewhere(&person, Some(&tenant));
        let session = set::session(s, a, &visitor, &tenant, "Interactive");
        let way = Way {
            visitor: &visitor,
            session: &session,
            tenant: &tenant,
            flow: "Prepopulated",
        };
        let about = set::redeem(s, a, &way)?;
        if right {
            set::used(s, a, &tenant);
        }
        Some(Told::only(about))
    })
}

fn needs(lines: &Lines, about: &Subject) -> Vec<Need> {
    let tenant = [("tenant", about.tenant.as_str())];
    let mut observed = lines.all("TenantObserved", &tenant);
    let license = [("license_id", about.license_id.as_str())];
    let agreed = lines.text("AgreementSigned", &license, "cloud");
    vec![
        lines.landed(about),
        need(
            "the clouds of tenant and agreement",
            observed.any(|event| agreed.is_some() && event["data"]["cloud"].as_str() != agreed),
        ),
    ]
}
