use super::super::runner::{eventually, soon};
use super::samples::{BATCHES, NOW, attempt, event, id, ids, seconds, write};
use crate::EventId;
use crate::messaging::{Claimed, DeadLetter, Envelope, Group, Message, NewDeadLetter, NewEvent, OutboxRow, Source, Topic};
use crate::store::{PageLimit, Store};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

async fn append(store: &dyn Store, events: Vec<NewEvent>) {
    write(store, async |uow| uow.outbox().append(events).await).await;
}

/// Claims at `now` seconds, until `until` seconds.
async fn claim_turn(store: &dyn Store, now: u64, until: u64, limit: u32) -> Claimed {
    write(store, async |uow| uow.outbox().claim(NOW.plus(seconds(now)), NOW.plus(seconds(until)), limit).await).await
}

async fn claim(store: &dyn Store, now: u64, until: u64, limit: u32) -> Vec<OutboxRow> {
    claim_turn(store, now, until, limit).await.rows
}

async fn mark_sent(store: &dyn Store, rows: &[EventId]) {
    write(store, async |uow| uow.outbox().mark_sent(rows, NOW).await).await;
}

fn rows(claimed: &[OutboxRow]) -> Vec<EventId> {
    claimed.iter().map(|row| row.row).collect()
}

pub(super) async fn events_come_out_in_the_order_they_went_in_in_batches_of_any_size(store: &dyn Store) {
    for size in BATCHES {
        append(store, (1..=size).map(event).collect()).await;
        let claimed = claim(store, 0, 30, 1_000).await;
        assert_eq!(claimed.len(), usize::try_from(size).unwrap());
        for (number, row) in (1..=size).zip(&claimed) {
            assert_eq!(row.message, event(number).encode(row.row), "complete, under the row's id");
        }
        mark_sent(store, &rows(&claimed)).await;
    }
}

pub(super) async fn event_ids_are_unique_and_ascending_in_a_claim(store: &dyn Store) {
    let mut seen = BTreeSet::new();
    for _ in 0..3 {
        append(store, (1..=10).map(event).collect()).await;
        let claimed = rows(&claim(store, 0, 30, 100).await);
        assert!(claimed.is_sorted_by(|a, b| a < b));
        assert!(claimed.iter().all(|row| seen.insert(*row)));
    }
}

pub(super) async fn a_claimed_row_is_given_to_nobody_else_until_the_claim_ends(store: &dyn Store) {
    append(store, (1..=5).map(event).collect()).await;
    let first = claim(store, 0, 30, 3).await;
    let second = claim(store, 1, 31, 10).await;
    assert_eq!((first.len(), second.len()), (3, 2));
    assert!(claim(store, 29, 60, 10).await.is_empty());
    assert_eq!(claim(store, 30, 60, 10).await, first, "the claim has ended");
    assert_eq!(claim(store, 31, 60, 10).await, second);
}

pub(super) async fn claims_at_once_share_nothing(store: &dyn Store) {
    append(store, (1..=100).map(event).collect()).await;
    let claims = futures_util::future::join_all(
        (0..5).map(|_| attempt(store, async |uow| uow.outbox().claim(NOW, NOW.plus(seconds(30)), 20).await)),
    );
    let claimed: Vec<_> = claims.await.into_iter().filter_map(Result::ok).flat_map(|claimed| rows(&claimed.rows)).collect();
    assert!(!claimed.is_empty());
    assert_eq!(claimed.len(), claimed.iter().collect::<BTreeSet<_>>().len(), "a row was claimed twice");
}

pub(super) async fn a_row_waits_while_an_earlier_one_of_its_aggregate_is_with_another_relay(store: &dyn Store) {
    append(store, vec![event(1), event(2), event(1), event(2)]).await;
    let first = claim(store, 0, 30, 1).await;
    let others = claim_turn(store, 0, 30, 10).await;
    assert_eq!(others.rows.iter().map(|row| row.message.aggregate_id).collect::<Vec<_>>(), [2, 2]);
    assert!(others.held_back, "the second row of the first aggregate is left");
    assert_eq!(claim_turn(store, 29, 60, 10).await, Claimed { rows: Vec::new(), held_back: true });
    mark_sent(store, &rows(&first)).await;
    let second = claim_turn(store, 29, 60, 10).await;
    assert_eq!((second.rows.len(), second.held_back), (1, false));
    assert_eq!(second.rows[0].message.aggregate_id, 1);
    mark_sent(store, &rows(&others.rows)).await;
    mark_sent(store, &rows(&second.rows)).await;
    assert_eq!(claim_turn(store, 100, 130, 10).await, Claimed::default());
}

pub(super) async fn what_a_relay_that_died_had_claimed_comes_before_what_waited_for_it(store: &dyn Store) {
    append(store, vec![event(1), event(1), event(2)]).await;
    let died = claim(store, 0, 30, 1).await;
    assert_eq!(claim(store, 29, 31, 10).await.len(), 1);
    let all = claim_turn(store, 31, 60, 10).await;
    assert_eq!((all.rows[0].row, all.rows.len(), all.held_back), (died[0].row, 3, false));
}

pub(super) async fn rows_that_wait_keep_no_other_aggregate_waiting(store: &dyn Store) {
    let queue = (0..600).map(|_| event(1));
    append(store, queue.chain([event(2), event(3)]).collect()).await;
    assert_eq!(claim(store, 0, 30, 1).await.len(), 1);
    let others = claim_turn(store, 0, 30, 500).await;
    assert_eq!(others.rows.iter().map(|row| row.message.aggregate_id).collect::<Vec<_>>(), [2, 3]);
    assert!(others.held_back);
}

pub(super) async fn relays_at_once_keep_the_events_of_an_aggregate_in_order(store: &dyn Store) {
    const AGGREGATES: i64 = 5;
    for _ in 0..20 {
        append(store, (0..AGGREGATES).chain(0..AGGREGATES).map(|number| event(number + 1)).collect()).await;
    }
    let (carried, left) = (Mutex::new(Vec::new()), AtomicI64::new(AGGREGATES * 40));
    let relay = async |limit: u32| {
        while left.load(Ordering::SeqCst) > 0 {
            // One that comes between another's claim and its mark is refused, or held back, and comes again.
            let claimed = attempt(store, async |uow| uow.outbox().claim(NOW, NOW.plus(seconds(30)), limit).await).await.unwrap_or_default();
            for row in &claimed.rows {
                carried.lock().unwrap().push((row.message.aggregate_id, row.row));
                tokio::task::yield_now().await;
            }
            let rows = rows(&claimed.rows);
            while attempt(store, async |uow| uow.outbox().mark_sent(&rows, NOW).await).await.is_err() {}
            left.fetch_sub(i64::try_from(rows.len()).unwrap(), Ordering::SeqCst);
            tokio::task::yield_now().await;
        }
    };
    soon("everything is carried", async { futures_util::join!(relay(3), relay(7), relay(20), relay(500)) }).await;
    let carried = carried.into_inner().unwrap();
    assert_eq!(carried.len(), 200, "each row is carried once");
    for aggregate in 1..=AGGREGATES {
        let of_one: Vec<_> = carried.iter().filter(|(other, _)| *other == aggregate).map(|(_, row)| row).collect();
        assert!(of_one.is_sorted(), "aggregate {aggregate}: {of_one:?}");
    }
}

pub(super) async fn a_claim_that_is_rolled_back_claims_nothing(store: &dyn Store) {
    append(store, vec![event(1)]).await;
    let mut uow = store.begin().await.unwrap();
    assert_eq!(uow.outbox().claim(NOW, NOW.plus(seconds(30)), 10).await.unwrap().rows.len(), 1);
    drop(uow);
    // Until the roll-back has reached a server, the row is passed over as one that is about to be claimed.
    eventually("the row is free again", async || (claim(store, 0, 30, 10).await.len() == 1).then_some(())).await;
}

pub(super) async fn a_sent_row_is_never_claimed_again(store: &dyn Store) {
    append(store, (1..=4).map(event).collect()).await;
    let claimed = claim(store, 0, 30, 10).await;
    mark_sent(store, &rows(&claimed[..2])).await;
    assert_eq!(claim(store, 1_000, 2_000, 10).await, claimed[2..]);
}

pub(super) async fn a_message_appended_again_keeps_its_id(store: &dyn Store) {
    append(store, vec![event(1)]).await;
    let original = claim(store, 0, 30, 10).await.remove(0);
    mark_sent(store, &[original.row]).await;
    let again = Message { only_for: Some(Group::Stock), ..original.message.clone() };
    for _ in 0..2 {
        write(store, async |uow| uow.outbox().append_again(&again).await).await;
        let row = claim(store, 0, 30, 10).await.remove(0);
        assert_eq!(row.message, again, "the same event, for one group");
        assert_ne!(row.row, original.row, "in a row of its own");
        mark_sent(store, &[row.row]).await;
    }
}

pub(super) async fn a_unit_of_work_tells_once_what_it_appended(store: &dyn Store) {
    let told = write(store, async |uow| {
        uow.outbox().append((1..=2).map(event).collect()).await?;
        let mut told = uow.outbox().appended().await?;
        uow.outbox().append(vec![event(3)]).await?;
        told.extend(uow.outbox().appended().await?);
        assert!(uow.outbox().appended().await?.is_empty());
        Ok(told)
    })
    .await;
    assert_eq!(told.iter().map(|envelope| envelope.id).collect::<BTreeSet<_>>().len(), 3, "each has an id of its own");
    let claimed = claim(store, 0, 30, 10).await;
    let claimed = claimed.iter().zip(&told).map(|(row, told)| Envelope { id: told.id, ..Envelope::decode(&row.message).unwrap() });
    assert_eq!((told.len(), &told), (3, &claimed.collect()));
    write(store, async |uow| {
        assert!(uow.outbox().appended().await?.is_empty(), "of this unit of work only");
        Ok(())
    })
    .await;
}

pub(super) async fn an_event_says_who_handled_it_when_it_was_appended(store: &dyn Store) {
    for size in BATCHES {
        write(store, async |uow| {
            uow.outbox().append((1..=size).map(event).collect()).await?;
            let first: Vec<_> = uow.outbox().appended().await?.iter().map(|envelope| envelope.id).collect();
            uow.outbox().append(vec![event(size + 1)]).await?;
            uow.outbox().handled(Group::Order, &first).await?;
            uow.outbox().handled(Group::Stock, &first[..1]).await?;
            let last: Vec<_> = uow.outbox().appended().await?.iter().map(|envelope| envelope.id).collect();
            uow.outbox().handled(Group::CouponIssuer, &last).await
        })
        .await;
        let claimed = claim(store, 0, 30, 1_000).await;
        let mut wanted = vec!["order"; usize::try_from(size).unwrap()];
        wanted[0] = "stock,order";
        wanted.push("coupon-issuer");
        assert_eq!(claimed.iter().map(|row| row.message.handled_by.to_string()).collect::<Vec<_>>(), wanted);
        let other = attempt(store, async |uow| uow.outbox().handled(Group::Stock, &rows(&claimed)).await).await;
        assert!(other.is_err(), "it was not appended just now");
        mark_sent(store, &rows(&claimed)).await;
    }
}

pub(super) async fn an_event_that_was_claimed_is_not_changed_any_more(store: &dyn Store) {
    let late = attempt(store, async |uow| {
        uow.outbox().append(vec![event(1)]).await?;
        let told = uow.outbox().appended().await?;
        assert_eq!(uow.outbox().claim(NOW, NOW.plus(seconds(30)), 10).await?.rows.len(), 1);
        uow.outbox().handled(Group::Stock, &[told[0].id]).await
    });
    assert!(late.await.is_err());
}

pub(super) async fn an_appended_event_is_undelivered(store: &dyn Store) {
    assert!(store.snapshot().await.unwrap().undelivered(10).await.unwrap().is_empty());
    append(store, vec![event(1)]).await;
    assert_eq!(store.snapshot().await.unwrap().undelivered(10).await.unwrap().len(), 1);
}

pub(super) async fn a_group_handles_an_event_once_in_batches_of_any_size(store: &dyn Store) {
    let record = async |group: Group, events: &[EventId]| write(store, async |uow| uow.inbox().record(group, events, NOW).await).await;
    let mut known = 0;
    for size in BATCHES {
        let mut events: Vec<EventId> = ids(size);
        events.reverse();
        let fresh: Vec<EventId> = (known + 1..=size).rev().map(id).collect();
        assert_eq!(record(Group::Stock, &events).await, fresh, "what is new, in the order given");
        assert!(record(Group::Stock, &events).await.is_empty());
        known = size;
    }
    assert_eq!(record(Group::Coupon, &[id(1)]).await, [id::<EventId>(1)], "each group for itself");
}

pub(super) async fn a_forgotten_event_can_be_handled_again(store: &dyn Store) {
    let record = async || write(store, async |uow| uow.inbox().record(Group::Order, &[id(1), id(2)], NOW).await).await;
    record().await;
    write(store, async |uow| uow.inbox().forget(Group::Order, id(1)).await).await;
    write(store, async |uow| uow.inbox().forget(Group::Stock, id(2)).await).await;
    assert_eq!(record().await, [id::<EventId>(1)]);
}

fn letter(number: i64, group: Group) -> NewDeadLetter {
    NewDeadLetter {
        group,
        message: Message { payload: r#"{"not":"what","it":"should be 😀"}"#.to_owned(), ..event(number).encode(id(number)) },
        source: Source { topic: Topic::Order, partition: 3, offset: i64::MAX },
        reason: "unknown event type \"Nonsense\"".to_owned(),
        attempts: 7,
        at: NOW,
    }
}

async fn put_aside(store: &dyn Store, letters: &[NewDeadLetter]) {
    write(store, async |uow| uow.dead_letters().insert(letters).await).await;
}

async fn waiting(store: &dyn Store) -> Vec<DeadLetter> {
    store.queries().dead_letters(None, PageLimit::new(100).unwrap()).await.unwrap()
}

pub(super) async fn dead_letters_come_back_as_they_were_written_in_batches_of_any_size(store: &dyn Store) {
    let mut first = 1;
    let mut after = None;
    for size in BATCHES {
        let letters: Vec<_> = (first..first + size).map(|number| letter(number, Group::Stock)).collect();
        put_aside(store, &letters).await;
        let mut read = Vec::new();
        loop {
            let page = store.queries().dead_letters(after, PageLimit::new(100).unwrap()).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            read.extend(page);
        }
        assert!(read.is_sorted_by(|a, b| a.id < b.id));
        assert!(read.iter().all(|letter| letter.replayed_at.is_none()));
        assert_eq!(store.queries().dead_letter(read[0].id).await.unwrap().as_ref(), Some(&read[0]));
        assert_eq!(read.into_iter().map(|letter| letter.letter).collect::<Vec<_>>(), letters);
        first += size;
    }
    assert_eq!(store.queries().dead_letter(id(1_000_000)).await.unwrap(), None);
}

pub(super) async fn a_letter_that_waits_is_not_added_again(store: &dyn Store) {
    put_aside(store, &[letter(1, Group::Stock)]).await;
    let again = NewDeadLetter { reason: "something else".to_owned(), ..letter(1, Group::Stock) };
    put_aside(store, &[again, letter(1, Group::Coupon), letter(2, Group::Stock)]).await;
    let all: Vec<_> = waiting(store).await.into_iter().map(|letter| letter.letter).collect();
    assert_eq!(all, [letter(1, Group::Stock), letter(1, Group::Coupon), letter(2, Group::Stock)]);
}

pub(super) async fn a_replayed_letter_waits_no_more_and_can_be_put_aside_again(store: &dyn Store) {
    put_aside(store, &[letter(1, Group::Stock)]).await;
    let first = waiting(store).await.remove(0);
    let locked = write(store, async |uow| {
        uow.dead_letters().mark_replayed(first.id, NOW.plus(seconds(1))).await?;
        uow.dead_letters().lock(first.id).await
    })
    .await;
    assert_eq!(locked, Some(DeadLetter { replayed_at: Some(NOW.plus(seconds(1))), ..first.clone() }));
    assert!(waiting(store).await.is_empty());
    put_aside(store, &[letter(1, Group::Stock)]).await;
    let second = waiting(store).await.remove(0);
    assert_ne!(second.id, first.id);
    assert_eq!(write(store, async |uow| uow.dead_letters().lock(id(1_000_000)).await).await, None);
}
