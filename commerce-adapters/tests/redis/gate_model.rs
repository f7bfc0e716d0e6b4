//! The gate in Redis says what the gate in process says, whatever is asked of them and in whatever order.

use super::place::{Place, Plot};
use super::trial::shared;
use commerce_adapters::redis::RedisGate;
use commerce_core::coupon::{
    Coupon, CouponGate, CouponName, Discount, GatePlace, GateRequest, InProcessGate, PlaceState, Position, Settlement,
};
use commerce_core::{CouponId, TaskId, Timestamp, UserId};
use libtest_mimic::Trial;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::sync::Arc;
use std::time::Duration;

const CASES: usize = 60;
const WINDOW: Duration = Duration::from_mins(3);
/// Later than now on any machine: Redis lets go of what has expired.
const START: Timestamp = Timestamp::from_millis(4_102_444_800_000);

pub(crate) fn trials() -> Vec<Trial> {
    Place::ALL.into_iter().map(|place| shared(place, "gate::it_says_what_the_gate_in_process_says", same_as_in_process)).collect()
}

#[derive(Debug, Clone)]
enum Step {
    Ask { task: i64, user: i64 },
    Settle { task: i64, user: i64, issued: Option<u32> },
    Close { fence: u64 },
    Load { fence: u64, places: Vec<(i64, u32, bool)> },
    Open { fence: u64, stock: u32 },
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (1..30_i64, 1..8_i64).prop_map(|(task, user)| Step::Ask { task, user }),
        5 => (1..30_i64, 1..8_i64, prop::option::of(1..12_u32)).prop_map(|(task, user, issued)| Step::Settle { task, user, issued }),
        1 => (1..9_u64).prop_map(|fence| Step::Close { fence }),
        2 => (1..9_u64, vec((1..8_i64, 1..12_u32, any::<bool>()), 0..4)).prop_map(|(fence, places)| Step::Load { fence, places }),
        2 => (1..9_u64, 0..6_u32).prop_map(|(fence, stock)| Step::Open { fence, stock }),
        3 => (0..200_u64).prop_map(Step::Wait),
    ];
    // It is opened at first, so that there is something to ask for.
    vec(step, 1..60).prop_map(|steps| [vec![Step::Close { fence: 1 }, Step::Open { fence: 1, stock: 4 }], steps].concat())
}

fn coupon(initial_stock: u32) -> Coupon {
    Coupon {
        id: CouponId::new(1).unwrap(),
        name: CouponName::parse("Welcome").unwrap(),
        discount: Discount::Percent(10),
        initial_stock,
        issued: 0,
        opens_at: None,
        expires_at: START.plus(Duration::from_hours(1)),
        created_at: START,
    }
}

/// Does a step at a gate; answers everything that can be seen of it.
async fn take(gate: &dyn CouponGate, step: &Step, now: Timestamp) -> String {
    let (id, user_id) = (CouponId::new(1).unwrap(), |user: i64| UserId::new(user).unwrap());
    let (task_id, position) = (|task: i64| TaskId::new(task).unwrap(), |number: u32| Position::new(number).unwrap());
    let said = match step {
        Step::Ask { task, user } => {
            let request = GateRequest { task_id: task_id(*task), coupon_id: id, user_id: user_id(*user), now, window: WINDOW };
            format!("{:?}", gate.admit(&request).await.unwrap())
        }
        Step::Settle { task, user, issued } => {
            let (task_id, user_id, issued) = (task_id(*task), user_id(*user), issued.map(position));
            gate.settle(&[Settlement { coupon_id: id, task_id, user_id, issued, at: now }]).await.unwrap();
            String::new()
        }
        Step::Close { fence } => {
            gate.close(id, *fence).await.unwrap();
            String::new()
        }
        Step::Load { fence, places } => {
            let place = |(user, number, issued): &(i64, u32, bool)| {
                let state = if *issued { PlaceState::Issued } else { PlaceState::Pending };
                GatePlace { task_id: task_id(100 + user), user_id: user_id(*user), position: position(*number), at: now, state }
            };
            format!("{}", gate.load(id, *fence, &places.iter().map(place).collect::<Vec<_>>()).await.unwrap())
        }
        Step::Open { fence, stock } => format!("{}", gate.open(&coupon(*stock), *fence).await.unwrap()),
        Step::Wait(_) => String::new(),
    };
    let mut pending = gate.pending(Timestamp::MAX, 1_000).await.unwrap();
    pending.sort_by_key(|place| (place.at, place.task_id, place.position));
    format!("{said} {:?} {pending:?}", gate.census(id).await.unwrap())
}

async fn same_as_in_process(plot: Arc<Plot>) {
    let mut runner = TestRunner::deterministic();
    for case in 0..CASES {
        let steps = steps().new_tree(&mut runner).unwrap().current();
        let (in_redis, in_process) = (RedisGate::new(plot.redis().await), InProcessGate::new());
        let mut now = START;
        for (at, step) in steps.iter().enumerate() {
            if let Step::Wait(seconds) = step {
                now = now.plus(Duration::from_secs(*seconds));
            }
            let (redis, process) = (take(&in_redis, step, now).await, take(&in_process, step, now).await);
            assert_eq!(redis, process, "case {case}, after step {at} of {:#?}", &steps[..=at]);
        }
    }
}
