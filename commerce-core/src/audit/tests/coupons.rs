//! Requests for coupons and gates.

use super::*;
use crate::coupon::{CouponRequest, GateKeeper, GateRebuild, GateRequest, GateVerdict, RequestOutcome, Settlement};

/// A request of user 5 that was admitted at `NOW`.
fn pending_request(store: &MemoryStore) {
    let request = CouponRequest {
        task_id: id(70),
        coupon_id: id(1),
        user_id: id(5),
        user_coupon_id: id(70),
        position: Position::new(3).unwrap(),
        admitted_at: NOW,
        outcome: RequestOutcome::Pending,
    };
    store.tamper(|state| {
        state.coupon_requests.insert(id(70), request);
    });
}

#[tokio::test(start_paused = true)]
async fn a8_reports_a_request_for_a_coupon_that_nobody_decides() {
    let store = shop().await;
    pending_request(&store);
    let found = report(&store).await.violations;
    assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), ["A8 coupon request 70: it is not decided for 30 s"]);
    assert!(found[0].in_flight);
}

#[tokio::test(start_paused = true)]
async fn a_request_for_a_coupon_that_is_decided_meanwhile_is_not_reported() {
    let store = shop().await;
    pending_request(&store);
    let decide = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        store.tamper(|state| row(&mut state.coupon_requests, 70).outcome = RequestOutcome::Issued { at: NOW });
    };
    let (report, ()) = futures_util::join!(report(&store), decide);
    assert_eq!(report.violations, []);
}

/// The gate of coupon 1, opened with what the store knows, and with room for more.
async fn gate_of(store: &MemoryStore) -> InProcessGate {
    store.tamper(|state| row(&mut state.coupons, 1).initial_stock = 10);
    let gate = InProcessGate::new();
    let keeper = GateKeeper { store: Arc::new(store.clone()), gate: Arc::new(gate.clone()), locks: locks() };
    assert_eq!(keeper.rebuild(id(1)).await.unwrap(), GateRebuild::Open { places: 2 });
    gate
}

/// User 5 asks at the gate of coupon 1.
async fn admit(gate: &InProcessGate) -> Position {
    let request = GateRequest { task_id: id(70), coupon_id: id(1), user_id: id(5), now: NOW, window: Duration::ZERO };
    match gate.admit(&request).await.unwrap() {
        GateVerdict::Admitted(position) => position,
        verdict => panic!("{verdict:?}"),
    }
}

async fn settle(gate: &InProcessGate, issued: Option<Position>) {
    gate.settle(&[Settlement { coupon_id: id(1), task_id: id(70), user_id: id(5), issued, at: NOW }]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_counts_what_is_issued_is_clean() {
    let store = shop().await;
    let report = report_on(&store, &gate_of(&store).await, &MemoryBoard::new()).await;
    assert_eq!((report.violations, report.checked.gates), (vec![], 1));
}

#[tokio::test(start_paused = true)]
async fn a8_reports_a_place_that_stays_pending_at_its_gate() {
    let store = shop().await;
    let gate = gate_of(&store).await;
    admit(&gate).await;
    let found = report_on(&store, &gate, &MemoryBoard::new()).await.violations;
    let lines: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["A8 coupon request 70: it is pending at the gate of coupon 1 for 30 s"]);
}

#[tokio::test(start_paused = true)]
async fn a8_reports_a_gate_that_counts_something_else_than_was_issued() {
    let store = shop().await;
    let gate = gate_of(&store).await;
    let position = admit(&gate).await;
    settle(&gate, Some(position)).await;
    let found = report_on(&store, &gate, &MemoryBoard::new()).await.violations;
    let lines: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["A8 gate of coupon 1: it counts 3 as issued but 2 are"]);
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_is_told_meanwhile_is_not_reported() {
    let store = shop().await;
    let gate = gate_of(&store).await;
    admit(&gate).await;
    let tell = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        settle(&gate, None).await;
    };
    let board = MemoryBoard::new();
    let (report, ()) = futures_util::join!(report_on(&store, &gate, &board), tell);
    assert_eq!(report.violations, []);
}
