//! The audit's report: the findings, what could not be judged, and what was clean.

use super::beside::beside;
use super::clean::{LandingLine, Trial, Without, nothing_landed, trials_alone, without_finding};
use super::evidence::Evidence;
use super::exhibits::Exhibits;
use super::expectation::{Basis, Expectation, Verdict, Wanted, expect, verdict};
use super::finding::{About, Confidence, Finding, FindingState, Landed, PathStep};
use super::landing::{Landing, LandingKind, landings};
use super::others::{Neighbours, Others};
use super::rules::{Case, Check, Hit, RULES, Rule, Wrong};
use super::signals;
use super::story;
use super::subjects::{World, subject_findings};
use super::unsettled::needs;
use ledger::event::word::Program;
use ledger::id::{EventId, FindingId};
use ledger::subject::SubjectKind;
use ledger::time::Timestamp;
use projections::At;
use std::collections::BTreeSet;

/// What an audit found.
#[derive(Debug, Clone)]
pub struct Report {
    /// Up to when things that happened count.
    pub valid_at: Timestamp,
    /// What went wrong: the worst first, then by time.
    pub findings: Vec<Finding>,
    /// How many landings were judged.
    pub judged: usize,
    /// The landings that could not be judged, and why.
    pub not_judged: Vec<NotJudged>,
    /// What has no finding, a line each.
    pub without: Without,
    /// How many findings a selection left out.
    pub left_out: usize,
    /// How many events were seen.
    pub events: usize,
    /// How many tenants they name.
    pub tenants: usize,
}

/// A landing that nothing says the right tenant of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotJudged {
    /// What landed, as `KIND:ID`.
    pub landing: String,
    /// The tenant that it reached.
    pub tenant: String,
    /// What would settle it.
    pub needs: String,
}

/// Judges every landing and every subject that is seen. Pure: the same events give the same report, whatever order
/// they were imported in. Costs one pass over the events and a few per landing and subject.
pub fn audit(at: &At<'_>) -> Report {
    let evidence = Evidence::gather(at);
    let landings = landings(at, &evidence);
    let neighbours = Neighbours::new(&landings, &evidence);
    let judge = Judge {
        at,
        evidence: &evidence,
        neighbours: &neighbours,
        landings: &landings,
    };
    let mut judged = judge.landings();
    let others = Others::new(&neighbours, &judged.accused);
    let findings = subject_findings(at, &evidence, others, World::All);
    judged.findings.extend(findings);
    let tenants = at.subjects(SubjectKind::Tenant).len();
    let without = judge.without(&judged);
    judged.report(at.point().valid_at, without, at.count(), tenants)
}

/// What judging the landings gave.
pub(super) struct JudgedLandings {
    /// Findings: of landings, and what else is added.
    pub findings: Vec<Finding>,
    /// Whether each landing has one.
    pub accused: Vec<bool>,
    not_judged: Vec<NotJudged>,
    verdicts: Vec<Verdict>,
}

/// What one pass says of one landing.
pub(super) struct Judgement {
    /// Where it should have gone.
    pub expectation: Expectation,
    /// The rules that fired.
    pub hits: Vec<(&'static Rule, Hit)>,
    dismissed: bool,
}

impl Judgement {
    /// Whether the tenant is accused, and nobody dismissed that.
    pub(super) fn accuses(&self) -> bool {
        self.is_about_tenant() && !self.dismissed
    }

    /// Whether a rule says that the tenant is wrong, and not only how something was done there.
    fn is_about_tenant(&self) -> bool {
        self.hits.iter().any(|(_, hit)| hit.wrong == Wrong::Tenant)
    }

    /// Where a landing is that only the manner of was wrong, once that was put right.
    fn is_settled(&self) -> bool {
        self.hits.iter().all(|(_, hit)| hit.settled.is_some())
    }
}

/// What every landing is judged by.
pub(super) struct Judge<'j> {
    /// The histories.
    pub at: &'j At<'j>,
    /// The evidence.
    pub evidence: &'j Evidence,
    /// The landings, by what they share.
    pub neighbours: &'j Neighbours<'j>,
    /// The landings, in the order in which they happened.
    pub landings: &'j [Landing],
}

impl JudgedLandings {
    /// Makes the report once every finding is known.
    pub(super) fn report(
        self,
        valid_at: Timestamp,
        without: Without,
        events: usize,
        tenants: usize,
    ) -> Report {
        let (mut findings, mut not_judged) = (self.findings, self.not_judged);
        in_order_of_report(&mut findings, &mut not_judged);
        Report {
            valid_at,
            without,
            judged: self.verdicts.len() - not_judged.len(),
            findings,
            not_judged,
            left_out: 0,
            events,
            tenants,
        }
    }
}

/// Sorts what a report lists: the worst first, then by time.
pub(super) fn in_order_of_report(findings: &mut [Finding], not_judged: &mut [NotJudged]) {
    findings.sort_by(|a, b| {
        let key = |f: &Finding| (std::cmp::Reverse(f.severity), f.at.start, f.id.clone());
        let first = |f: &Finding| f.evidence.first().map(|exhibit| exhibit.event);
        // Two findings of one identity are about two landings, which have no report in common.
        key(a)
            .cmp(&key(b))
            .then_with(|| first(a).cmp(&first(b)))
            .then_with(|| a.subject().cmp(&b.subject()))
    });
    not_judged.sort_by(|a, b| (&a.landing, &a.tenant).cmp(&(&b.landing, &b.tenant)));
}

impl Judge<'_> {
    /// Judges every landing.
    pub(super) fn landings(&self) -> JudgedLandings {
        let (at, evidence) = (self.at, self.evidence);
        let then = self.then();
        let now = self.now(&then);
        let mut judged = JudgedLandings {
            findings: Vec::new(),
            accused: now.iter().map(|now| !now.hits.is_empty()).collect(),
            not_judged: Vec::new(),
            verdicts: Vec::new(),
        };
        for ((landing, then), now) in self.landings.iter().zip(&then).zip(&now) {
            let verdict = verdict(landing, &now.expectation, evidence);
            judged.verdicts.push(verdict);
            if !now.hits.is_empty() {
                let finding = finding(at, evidence, landing, then, now);
                judged.findings.push(finding);
            } else if verdict == Verdict::NotJudged {
                judged.not_judged.push(NotJudged {
                    landing: landing.subject(),
                    tenant: evidence.tenant_name(&landing.tenant),
                    needs: needs(evidence, landing, &now.expectation),
                });
            }
        }
        judged
    }

    /// What has no finding. Costs a fold for every agreement that never landed.
    pub(super) fn without(&self, judged: &JudgedLandings) -> Without {
        let (at, evidence) = (self.at, self.evidence);
        let found: BTreeSet<&FindingId> = judged.findings.iter().map(|one| &one.id).collect();
        let verdicts = self.landings.iter().zip(&judged.verdicts);
        let lines: Vec<LandingLine> = verdicts
            .map(|(landing, verdict)| LandingLine::of(landing, *verdict, evidence))
            .collect();
        let agreements = evidence.agreements.all();
        let ordered = agreements.filter_map(|(_, agreement)| agreement.customer.as_ref());
        let ordered = ordered.map(|known| &known.value).collect();
        let reached = self.landings.iter().map(|landing| &landing.tenant);
        let trials = evidence.trials().iter();
        let trials: Vec<Trial> = trials.map(|trial| Trial::of(trial, evidence)).collect();
        let today = at.point().valid_at.date();
        let trials = trials_alone(&trials, &ordered, &reached.collect(), today);
        let agreements = evidence.agreements.all().map(|(license, _)| license);
        without_finding(&lines, agreements, trials, &found, &|license| {
            nothing_landed(at, evidence, license)
        })
    }

    /// What was known then: every landing by the evidence up to it, in the order in which they
    /// happened.
    fn then(&self) -> Vec<Judgement> {
        let mut accused = Vec::with_capacity(self.landings.len());
        let mut judgements = Vec::with_capacity(self.landings.len());
        for landing in self.landings {
            let before = Others::new(self.neighbours, &accused);
            let judgement = judge(landing, before, self, Some(landing.cutoff()));
            accused.push(judgement.accuses());
            judgements.push(judgement);
        }
        judgements
    }

    /// Whether each landing was accused by what was known then.
    pub(super) fn accused_then(&self) -> Vec<bool> {
        self.then().iter().map(Judgement::accuses).collect()
    }

    /// What is known now: every landing by all of the evidence, the others as they were judged then.
    fn now(&self, then: &[Judgement]) -> Vec<Judgement> {
        let accused: Vec<bool> = then.iter().map(Judgement::accuses).collect();
        let all = Others::new(self.neighbours, &accused);
        let (evidence, neighbours, landings) = (self.evidence, self.neighbours, self.landings);
        beside(self.at, landings, |at, landing| {
            let by = Judge {
                at,
                evidence,
                neighbours,
                landings,
            };
            judge(landing, all, &by, None)
        })
    }
}

/// Judges a landing beside others, by what was known up to an instant or by everything.
pub(super) fn judge(
    landing: &Landing,
    others: Others<'_>,
    by: &Judge<'_>,
    cutoff: Option<Timestamp>,
) -> Judgement {
    let evidence = by.evidence;
    let basis = Basis {
        evidence,
        others,
        cutoff,
    };
    let expectation = expect(landing, &basis);
    let case = Case {
        landing,
        expectation: &expectation,
        verdict: verdict(landing, &expectation, evidence),
        evidence,
        at: by.at,
        others,
        cutoff,
    };
    let fires = |rule: &'static Rule| match rule.check {
        Check::Landing(check) => Some((rule, check(&case).ok()?)),
        Check::Subject(..) | Check::Elsewhere(_) => None,
    };
    let hits = RULES.iter().filter_map(fires).collect();
    let decisions = evidence.decisions.get(&landing.id);
    let last = decisions.and_then(|d| d.iter().rfind(|d| d.by(cutoff)));
    Judgement {
        expectation,
        hits,
        dismissed: last.is_some_and(|decision| !decision.value.confirmed),
    }
}

/// What was found of a landing that a rule fired on.
pub(super) fn finding(
    at: &At<'_>,
    evidence: &Evidence,
    landing: &Landing,
    then: &Judgement,
    now: &Judgement,
) -> Finding {
    let expectation = &now.expectation;
    let when = |event| evidence.occurred.get(&event).copied();
    let mut support = Exhibits::default();
    for event in &expectation.evidence {
        let wanted = story::wanted(evidence, expectation);
        support.add(*event, &format!("{wanted} {}", expectation.source.why()));
    }
    let mut counter = Exhibits::default();
    let mut confidence = Confidence::thousandths(0);
    for (_, hit) in &now.hits {
        support.add_all(&hit.evidence);
        counter.add_all(&hit.counter_evidence);
        confidence = confidence.max(sureness(hit, expectation));
    }
    for event in &landing.events {
        support.add(
            *event,
            &format!(
                "it was {} {}",
                landing.kind.participle(),
                evidence.tenant_name(&landing.tenant)
            ),
        );
    }
    if now.is_about_tenant() {
        for (event, why) in signals::against(evidence, landing) {
            counter.add(event, &why);
            confidence = confidence.lowered();
        }
    }
    let counter_evidence = counter.in_order(when);
    let codes: BTreeSet<&'static str> = now.hits.iter().map(|(rule, _)| rule.code).collect();
    let severity = now.hits.iter().map(|(_, hit)| hit.severity).max();
    let changed = then.expectation.wanted != expectation.wanted;
    let mut finding = Finding {
        id: landing.id.clone(),
        codes,
        severity: severity.unwrap_or(super::Severity::Medium),
        confidence,
        state: FindingState::Open,
        about: About::Landing(Box::new(Landed {
            landing: landing.subject(),
            kind: landing.kind,
            expected: expectation.clone(),
            expected_then: changed.then(|| then.expectation.clone()),
            actual: landing.tenant.clone(),
        })),
        at: landing.at,
        customer: landing.customer.clone(),
        license_id: landing.license_id.clone(),
        order: landing.order.clone(),
        subjects: subjects(landing),
        evidence: support.in_order(when),
        counter_evidence,
        path: story::path(at, evidence, landing),
        effects: story::effects(at, evidence, landing, expectation),
        portal: story::portal(evidence, landing),
        summary: match now.is_about_tenant() {
            true => story::summary(evidence, landing, expectation),
            false => story::manner(
                evidence,
                landing,
                now.hits.first().map(|(rule, _)| rule.name),
            ),
        },
        next_step: String::new(),
    };
    finding.state = match now.is_about_tenant() {
        true => state(evidence, landing, expectation, &finding),
        false if now.is_settled() || landing.reversed.is_some() => FindingState::Compensated,
        false => decided(evidence, &finding),
    };
    let manner = now.hits.first().filter(|_| !now.is_about_tenant());
    let manner = manner.filter(|_| finding.is_open());
    finding.next_step = match manner {
        Some((rule, _)) => rule.compensation.to_owned(),
        None => next_step(evidence, landing, expectation, finding.state, &finding.id),
    };
    finding
}

/// How sure one rule is: the lowest of the expectation and its own evidence, a step lower for each
/// piece of counter-evidence. Over several rules the highest counts, so that a rule that is unsure
/// never takes from one that is sure (section A). What is wrong with the manner needs no expectation.
fn sureness(hit: &Hit, expectation: &Expectation) -> Confidence {
    let own = match (hit.wrong, expectation.is_known()) {
        (Wrong::Manner, _) => hit.confidence,
        (Wrong::Tenant, true) => hit.confidence.min(expectation.confidence),
        (Wrong::Tenant, false) => hit.confidence.lowered(),
    };
    let against: BTreeSet<&EventId> = hit.counter_evidence.iter().map(|(e, _)| e).collect();
    against.iter().fold(own, |sure, _| sure.lowered())
}

fn subjects(landing: &Landing) -> BTreeSet<String> {
    let mut subjects = BTreeSet::from([format!("tenant:{}", landing.tenant)]);
    subjects.extend(
        landing
            .license_id
            .iter()
            .map(|id| format!("agreement:{id}")),
    );
    subjects.extend(landing.order.iter().map(|id| format!("order:{id}")));
    subjects.extend(
        landing
            .redemptions
            .iter()
            .map(|id| format!("redemption:{id}")),
    );
    subjects.extend(
        landing
            .subscriptions
            .iter()
            .map(|id| format!("subscription:{id}")),
    );
    subjects.extend(landing.lots.iter().map(|id| format!("credit:{id}")));
    subjects.extend(landing.session.iter().map(|id| format!("session:{id}")));
    subjects.extend(landing.customer.iter().map(|id| format!("customer:{id}")));
    let keys = landing.keys.iter().map(ledger::event::subject_of);
    subjects.extend(keys.map(|subject| subject.to_string()));
    subjects
}

fn state(
    evidence: &Evidence,
    landing: &Landing,
    expectation: &Expectation,
    finding: &Finding,
) -> FindingState {
    let wrong = |tenant| match &expectation.wanted {
        Wanted::Existing(tenants) if !expectation.undecided => !tenants.contains(tenant),
        Wanted::Existing(_) | Wanted::BornOfThisChoice | Wanted::Unknown => {
            *tenant == landing.tenant
        }
    };
    match landing.present_tenant().is_none_or(|tenant| !wrong(tenant)) {
        true => FindingState::Compensated,
        false => decided(evidence, finding),
    }
}

/// What somebody decided last about a finding, if it was on the evidence that there is now.
pub(super) fn decided(evidence: &Evidence, finding: &Finding) -> FindingState {
    let decisions = evidence.decisions.get(&finding.id);
    let last = decisions.and_then(|decisions| decisions.last());
    let digest = finding.evidence_digest();
    match last.filter(|decision| decision.value.evidence_digest.as_str() == digest) {
        Some(decision) if decision.value.confirmed => FindingState::Confirmed,
        Some(_) => FindingState::Dismissed,
        None if last.is_some() => FindingState::Reopened,
        None => FindingState::Open,
    }
}

fn next_step(
    evidence: &Evidence,
    landing: &Landing,
    expectation: &Expectation,
    state: FindingState,
    id: &FindingId,
) -> String {
    let plan = format!("actl compensate plan {id}");
    match state {
        FindingState::Compensated => "nothing: it was compensated".to_owned(),
        FindingState::Dismissed => "nothing: it was dismissed".to_owned(),
        FindingState::Open | FindingState::Reopened | FindingState::Confirmed
            if !expectation.is_known() =>
        {
            "ask the contacts of both tenants which one was meant".to_owned()
        }
        FindingState::Open | FindingState::Reopened | FindingState::Confirmed => match landing
            .program(evidence)
        {
            Some(
                Program::Enterprise
                | Program::Campus
                | Program::Schools
                | Program::ProductsAndServices,
            ) => {
                format!(
                    "{plan}: the vendor remaps whole agreements, on the word of the Online Services Manager"
                )
            }
            Some(Program::OpenLicense | Program::OpenValue | Program::OpenValueSubscription)
            | None
                if landing.kind == LandingKind::Redemption
                    || landing.kind == LandingKind::Credit =>
            {
                format!("{plan}: the vendor reverses the redemption and reissues the key")
            }
            Some(Program::OpenLicense | Program::OpenValue | Program::OpenValueSubscription)
            | None => plan,
        },
    }
}

/// Steps of a path, in order.
pub(super) fn in_order(mut steps: Vec<PathStep>) -> Vec<PathStep> {
    steps.sort_by(|a, b| (a.at.start, &a.what).cmp(&(b.at.start, &b.what)));
    steps.dedup();
    steps
}
