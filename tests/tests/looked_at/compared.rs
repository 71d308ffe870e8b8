//! Comparing tenants.

use super::{World, any, simulated, stories};
use ledger::id::TenantId;
use ledger::subject::SubjectKind;
use projections::Point;
use replay::diff::{Side, diff, diff_of_store};
use tests::arbitrary::Dice;

/// Compares some pairs of tenants at some points, also unknown ones.
fn compare(world: &World, seed: u64, points: usize, pairs: usize) {
    let mut dice = Dice::new(seed);
    let mut ids: Vec<TenantId> = Vec::new();
    for subject in world.store.subjects(SubjectKind::Tenant).expect("subjects") {
        ids.push(TenantId::new(&subject.id).expect("a tenant"));
        let cut: String = subject.id.chars().take(5).collect();
        ids.extend(TenantId::new(&cut));
    }
    if ids.is_empty() {
        return;
    }
    let others = world.points(seed + 1, 3);
    for point in world.points(seed, points) {
        for _ in 0..pairs {
            let (left, right) = (dice.of(&ids).clone(), dice.of(&ids).clone());
            let other = *dice.of(&others);
            let at = world.histories.at(point);
            let there = at.valid_at(other.valid_at);
            let wanted = diff(
                Side {
                    at: &at,
                    tenant: &left,
                },
                Side {
                    at: &there,
                    tenant: &right,
                },
            );
            let sides = ((&left, point), (&right, other.valid_at));
            let found = diff_of_store(&world.store, &world.source, sides.0, sides.1);
            let found = found.expect("it can be read");
            assert_eq!(found, wanted, "{}: {left} {right} {point:?}", world.what);
        }
    }
}

#[test]
fn tenants_of_stories_differ_as_they_do_in_whole_histories() {
    for (seed, world) in stories().enumerate() {
        compare(&world, seed as u64, 4, 4);
    }
}

#[test]
fn tenants_of_simulated_histories_differ_as_they_do_in_whole_histories() {
    for (seed, world) in simulated().enumerate() {
        compare(&world, seed as u64, 6, 12);
    }
}

#[test]
fn tenants_of_any_history_differ_as_they_do_in_whole_histories() {
    for (seed, world) in any(24).enumerate() {
        compare(&world, seed as u64, 8, 8);
    }
}

#[test]
fn a_tenant_at_two_times_is_read_at_both() {
    for world in stories() {
        let end = world.points(1, 0);
        let Some(end) = end.first() else { continue };
        let points = world.points(7, 2);
        for subject in world.store.subjects(SubjectKind::Tenant).expect("subjects") {
            let tenant = TenantId::new(&subject.id).expect("a tenant");
            for Point { valid_at, .. } in points.clone() {
                let (at, there) = (world.histories.at(*end), world.histories.at(*end));
                let there = there.valid_at(valid_at);
                let [one, two] = [&at, &there].map(|at| Side {
                    at,
                    tenant: &tenant,
                });
                let sides = ((&tenant, *end), (&tenant, valid_at));
                let found = diff_of_store(&world.store, &world.source, sides.0, sides.1);
                assert_eq!(found.expect("it can be read"), diff(one, two), "{tenant}");
            }
        }
    }
}
