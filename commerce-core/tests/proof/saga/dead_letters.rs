use super::ending::{Ending, Scene};
use crate::books::Books;
use crate::shop::Shop;
use commerce_core::messaging::{DeadLetter, DeadLetterCopy, Group, Message, MessageBus, Source, Topic};
use commerce_core::order::OrderStatus;
use commerce_core::store::{PageLimit, Store};
use commerce_core::testing::Fault;
use commerce_core::{DeadLetterId, EventId};

fn event(id: i64) -> EventId {
    EventId::new(id).unwrap()
}

async fn letters(shop: &Shop) -> Vec<DeadLetter> {
    shop.queries().dead_letters(None, PageLimit::default()).await.unwrap()
}

fn groups(letters: &[DeadLetter]) -> Vec<Group> {
    let mut groups: Vec<_> = letters.iter().map(|it| it.letter.group).collect();
    groups.sort_unstable();
    groups
}

/// The first message of a type in the log.
fn first(shop: &Shop, event_type: &str) -> Message {
    let mut messages = shop.bus.messages(Topic::Order).into_iter();
    messages.find(|message| message.event_type == event_type).unwrap()
}

/// A scene whose order waits for payment, to copy messages from.
async fn settled() -> Scene {
    let scene = Scene::set().await;
    Ending::Awaiting.play(&scene, Shop::settle).await;
    scene
}

#[tokio::test(start_paused = true)]
async fn an_event_of_unknown_type_is_put_aside_by_every_group_while_the_rest_goes_on() {
    // Given an event that nobody knows, followed by an order,
    let scene = Scene::set().await;
    let order = scene.shop.place(scene.buyer, &[(scene.options[0], 1)], None).await;
    scene.shop.carry().await;
    let odd = Message { id: event(1_000_000), event_type: "OrderPainted".to_owned(), ..first(&scene.shop, "OrderCreated") };
    scene.shop.bus.publish(&[odd]).await.unwrap();
    // when the saga goes on,
    scene.shop.settle().await;
    // then the order is confirmed and each group has put the event aside once, with the reason.
    assert_eq!(scene.shop.status(order).await, OrderStatus::AwaitingPayment);
    let letters = letters(&scene.shop).await;
    assert_eq!(groups(&letters), [Group::Stock, Group::Coupon, Group::Order]);
    assert!(letters.iter().all(|it| it.letter.reason.contains("OrderPainted")), "{letters:?}");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_cannot_be_read_is_put_aside_only_by_the_groups_it_is_for() {
    for broken in [
        |message: Message| Message { id: event(1_000_000), payload: "{\"orderId\":".to_owned(), ..message },
        |message: Message| Message { id: event(1_000_001), payload: "{\"orderId\":0}".to_owned(), ..message },
        |message: Message| Message { id: event(1_000_002), version: 2, ..message },
    ] {
        // Given the creation of an order in a form that cannot be read,
        let scene = settled().await;
        scene.shop.bus.publish(&[broken(first(&scene.shop, "OrderCreated"))]).await.unwrap();
        // when every group has read it,
        scene.shop.settle().await;
        // then the stock has put it aside, and nobody else, who has no business with it.
        assert_eq!(groups(&letters(&scene.shop).await), [Group::Stock]);
        Books::close(&scene.shop).await;
    }
}

#[tokio::test(start_paused = true)]
async fn where_dead_letters_have_topics_a_copy_of_each_travels_there_once() {
    // Given a bus with topics for dead letters, and an event that nobody knows,
    let scene = settled().await;
    scene.shop.bus.have_dead_letter_topics();
    let odd = Message { id: event(1_000_000), event_type: "OrderPainted".to_owned(), ..first(&scene.shop, "OrderCreated") };
    scene.shop.bus.publish(&[odd.clone(), odd.clone()]).await.unwrap();
    // when every group has put it aside, while the store troubles them,
    scene.shop.faults.script([Some(Fault::CommitAmbiguous), Some(Fault::CommitLost), Some(Fault::CommitConflict)]);
    scene.shop.settle().await;
    scene.shop.settle().await;
    // then a copy for each group has travelled, with all that the letter says, and the outbox is empty.
    let letters = letters(&scene.shop).await;
    let copies = scene.shop.bus.dead_letter_copies();
    let mut told: Vec<_> = copies.iter().map(|copy| DeadLetterCopy::of(copy).unwrap()).collect();
    told.sort_by(|a, b| a.group.cmp(&b.group));
    assert_eq!(told.iter().map(|copy| copy.group.as_str()).collect::<Vec<_>>(), ["coupon", "order", "stock"]);
    for copy in &copies {
        let told = DeadLetterCopy::of(copy).unwrap();
        let letter = &letters.iter().find(|it| it.letter.group.name() == told.group).unwrap().letter;
        assert_eq!(Message { topic: odd.topic.clone(), payload: told.payload.clone(), ..copy.clone() }, odd);
        assert_eq!((copy.topic.as_str(), told.source_topic.as_str()), ("order.dlq", "order"));
        let Source { partition, offset, .. } = letter.source;
        assert_eq!((told.source_partition, told.source_offset, told.attempts), (partition, offset, letter.attempts));
        assert_eq!((&told.error, told.at), (&letter.reason, letter.at));
    }
    assert_eq!(scene.shop.memory.snapshot().await.unwrap().undelivered(10).await.unwrap(), []);
}

/// A scene with an order whose goods come back to a shelf that has no room for them, and the letter that says so.
async fn shelf_without_room() -> (Scene, DeadLetterId) {
    let scene = Scene::set().await;
    let shop = &scene.shop;
    let order = shop.place(scene.buyer, &[(scene.options[0], 2)], None).await;
    shop.settle().await;
    shop.commerce.adjust_stock(scene.options[0], 1_000_000_000 - 3, "a mistake").await.unwrap();
    shop.commerce.cancel_order(order, commerce_core::user::Actor::Admin).await.unwrap();
    let other = shop.place(scene.buyer, &[(scene.options[1], 1)], None).await;
    shop.settle().await;
    assert_eq!(shop.status(other).await, OrderStatus::AwaitingPayment, "the rest goes on");
    let letters = letters(shop).await;
    assert_eq!(groups(&letters), [Group::Stock]);
    (scene, letters[0].id)
}

#[tokio::test(start_paused = true)]
async fn a_rejected_event_is_replayed_once_when_its_cause_is_gone() {
    // Given a release that was rejected, whose cause is put right,
    let (scene, letter) = shelf_without_room().await;
    scene.shop.commerce.adjust_stock(scene.options[0], -(1_000_000_000 - 3), "put right").await.unwrap();
    // when it is replayed twice,
    assert!(scene.shop.commerce.replay_dead_letter(letter).await.unwrap());
    assert!(!scene.shop.commerce.replay_dead_letter(letter).await.unwrap(), "it was replayed already");
    scene.shop.settle().await;
    // then the goods are back once, and nothing is left aside.
    assert_eq!(Books::close(&scene.shop).await.stock[&scene.options[0]], 5);
    assert_eq!(scene.shop.dead_letters().await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_replay_before_its_cause_is_gone_puts_the_event_aside_again() {
    // Given a release that was rejected, whose cause is still there,
    let (scene, letter) = shelf_without_room().await;
    // when it is replayed,
    assert!(scene.shop.commerce.replay_dead_letter(letter).await.unwrap());
    scene.shop.settle().await;
    // then a new letter waits, which works once the cause is gone.
    let again = letters(&scene.shop).await;
    assert_eq!(groups(&again), [Group::Stock]);
    assert_ne!(again[0].id, letter);
    scene.shop.commerce.adjust_stock(scene.options[0], -(1_000_000_000 - 3), "put right").await.unwrap();
    assert!(scene.shop.commerce.replay_dead_letter(again[0].id).await.unwrap());
    scene.shop.settle().await;
    assert_eq!(Books::close(&scene.shop).await.stock[&scene.options[0]], 5);
}

#[tokio::test(start_paused = true)]
async fn a_replay_reaches_its_group_only_even_when_inboxes_have_forgotten() {
    // Given an event that all groups have put aside, and inboxes that were purged since,
    let scene = settled().await;
    let odd = Message { id: event(1_000_000), event_type: "OrderPainted".to_owned(), ..first(&scene.shop, "OrderCreated") };
    scene.shop.bus.publish(&[odd]).await.unwrap();
    scene.shop.settle().await;
    let before = letters(&scene.shop).await;
    let now = scene.shop.clock.advance(std::time::Duration::from_secs(1));
    commerce_core::store::Store::purge(&scene.shop.memory, now, u32::MAX).await.unwrap();
    // when the letter of the coupons is replayed,
    let letter = before.iter().find(|it| it.letter.group == Group::Coupon).unwrap();
    assert!(scene.shop.commerce.replay_dead_letter(letter.id).await.unwrap());
    scene.shop.settle().await;
    // then the coupons have handled it again, and nobody else.
    let seen = |group| {
        let memory = scene.shop.memory.clone();
        async move {
            let mut uow = commerce_core::store::Store::begin(&memory).await.unwrap();
            uow.inbox().record(group, &[event(1_000_000)], now).await.unwrap().is_empty()
        }
    };
    assert!(seen(Group::Coupon).await);
    assert!(!seen(Group::Stock).await);
    assert!(!seen(Group::Order).await);
}
