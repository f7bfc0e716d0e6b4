use super::events::soon;
use super::running::{Running, SHELF};
use super::shops::{Shop, Shops};
use commerce_core::messaging::{Group, Message, MessageBus, StartAt, Topic};
use commerce_core::order::OrderStatus;
use commerce_core::user::Actor;
use futures_util::StreamExt;
use rdkafka::Message as _;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::message::{Header, Headers, OwnedHeaders, OwnedMessage};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::time::Duration;

/// The first `count` messages of a topic, as a client sees them that knows nothing of shops.
async fn raw(shop: &Shop, topic: &str, partitions: i32, count: usize) -> Vec<OwnedMessage> {
    let consumer: StreamConsumer = shop.stranger().set("group.id", shop.name("stranger")).create().unwrap();
    let mut all = TopicPartitionList::new();
    for partition in 0..partitions {
        all.add_partition_offset(&shop.name(topic), partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&all).unwrap();
    let messages = consumer.stream().take(count).map(|message| message.unwrap().detach()).collect();
    soon("the messages come", messages).await
}

fn headers(message: &OwnedMessage) -> BTreeMap<String, String> {
    let text = |header: Header<'_, &[u8]>| (header.key.to_owned(), String::from_utf8(header.value.unwrap().to_vec()).unwrap());
    message.headers().unwrap().iter().map(text).collect()
}

pub(crate) async fn what_others_wrote_is_put_aside_with_its_headers_and_the_rest_goes_on(shops: Shops) {
    let shop = shops.open(2).await;
    let running = Running::on(&shop).await;
    // Given a message that is nothing, and one whose payload is not what its headers say, between the events of orders,
    running.order().await;
    let stranger: FutureProducer = shop.stranger().create().unwrap();
    let topic = shop.name("order");
    let nothing = FutureRecord::<(), _>::to(&topic).payload(&[0xff_u8, 0x00][..]);
    let nowhere = stranger.send(nothing, Duration::from_secs(10)).await.unwrap();
    let told = [
        ("id", "4000000000"),
        ("type", "OrderCreated"),
        ("version", "1"),
        ("aggregate-type", "order"),
        ("occurred-at", "1767225600000"),
        ("correlation", "order-7"),
    ];
    let lie = told.iter().fold(OwnedHeaders::new(), |headers, &(key, value)| headers.insert(Header { key, value: Some(value) }));
    let lie = FutureRecord::to(&topic).key("7").payload("{\"orderId\":").headers(lie);
    let lie_at = stranger.send(lie, Duration::from_secs(10)).await.unwrap();
    // when orders go on, then they do;
    running.order().await;
    running.rests().await;
    assert_eq!(running.stock().await, SHELF - 2);
    // each group whose business it may be has put the messages aside,
    let letters = running.letters().await;
    let of = |group: Group| letters.iter().filter(|letter| letter.letter.group == group).count();
    assert_eq!([of(Group::Stock), of(Group::Coupon), of(Group::Order)], [2, 1, 1], "{letters:?}");
    // and a copy of each letter is in the topic for it, which tells where it comes from.
    let copies = raw(&shop, "order.dlq", 2, 4).await;
    for letter in letters.iter().map(|letter| &letter.letter) {
        let is_it = |copy: &&OwnedMessage| {
            let headers = headers(copy);
            headers["group"] == letter.group.name() && headers["id"] == letter.message.id.to_string()
        };
        let copy = copies.iter().find(is_it).unwrap();
        let headers = headers(copy);
        let at = if letter.message.event_type.is_empty() { &nowhere } else { &lie_at };
        assert_eq!((&headers["error"], headers["attempts"].as_str()), (&letter.reason, "1"));
        assert_eq!((headers["source-topic"].as_str(), &headers["source-partition"]), ("order", &at.partition.to_string()));
        assert_eq!(headers["source-offset"], at.offset.to_string());
        assert_eq!(copy.payload().unwrap(), letter.message.payload.as_bytes());
        if letter.message.event_type.is_empty() {
            assert_eq!((letter.reason.as_str(), letter.message.payload.as_str()), ("it has no header id", "/wA="));
        } else {
            assert!(told.iter().all(|(key, value)| headers[*key] == *value), "the message is as it came: {headers:?}");
            assert_eq!((copy.key(), copy.payload()), (Some(&b"7"[..]), Some(&b"{\"orderId\":"[..])));
        }
    }
    running.end().await;
}

pub(crate) async fn a_dead_letter_is_handled_when_it_is_replayed_after_the_fix(shops: Shops) {
    // Given a cancelled order whose unit comes back to a shelf that has no room for it,
    let running = Running::on(&shops.open(2).await).await;
    let order = running.order().await;
    let too_much = 1_000_000_000 - (SHELF - 1);
    running.commerce.adjust_stock(running.option, too_much, "a mistake").await.unwrap();
    running.commerce.cancel_order(order, Actor::Admin).await.unwrap();
    running.becomes(order, OrderStatus::Cancelled).await;
    running.rests().await;
    let letters = running.letters().await;
    assert_eq!(letters.iter().map(|letter| letter.letter.group).collect::<Vec<_>>(), [Group::Stock]);
    // when the shelf is put right and the letter is replayed,
    running.commerce.adjust_stock(running.option, -too_much, "put right").await.unwrap();
    assert!(running.commerce.replay_dead_letter(letters[0].id).await.unwrap());
    running.rests().await;
    // then the unit is back, and nothing is left aside.
    assert_eq!((running.stock().await, running.letters().await.len()), (SHELF, 0));
    running.end().await;
}

pub(crate) async fn what_comes_twice_counts_once(shops: Shops) {
    // Given orders that went through,
    let running = Running::on(&shops.open(3).await).await;
    let mut everything = running.bus.subscribe(Group::Ranking, &[Topic::Order], StartAt::Acknowledged).await.unwrap();
    let mut orders = Vec::new();
    for _ in 0..5 {
        orders.push(running.order().await);
    }
    running.rests().await;
    // when every event of theirs comes twice more, in another order,
    let mut messages: Vec<Message> = Vec::new();
    soon("all events come", async {
        while messages.len() < 15 {
            messages.extend(everything.poll(100).await.unwrap().into_iter().map(|delivery| delivery.message));
        }
    })
    .await;
    for _ in 0..2 {
        messages.reverse();
        running.bus.publish(&messages).await.unwrap();
    }
    let last = running.order().await;
    running.rests().await;
    // then it makes no difference.
    for order in orders.into_iter().chain([last]) {
        running.becomes(order, OrderStatus::AwaitingPayment).await;
    }
    assert_eq!((running.stock().await, running.letters().await.len()), (SHELF - 6, 0));
    running.end().await;
}
