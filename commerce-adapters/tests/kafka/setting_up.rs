use super::shops::Shops;
use commerce_adapters::kafka::{ConnectError, Found, KafkaBus, KafkaOptions, TopicsError, create_topics};
use commerce_core::messaging::{Group, MessageBus, StartAt, Topic};
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use std::num::NonZeroU16;
use std::time::{Duration, Instant};

const ONE: NonZeroU16 = NonZeroU16::MIN;

pub(crate) async fn topics_are_made_once_and_left_as_they_are(shops: Shops) {
    // Given no topics, when they are asked for, then they are made;
    let (shop, three) = (shops.named(), NonZeroU16::new(3).unwrap());
    let made = create_topics(&shop.options(), three, ONE).await.unwrap();
    let names = ["order", "order.dlq", "coupon-issued", "coupon-issued.dlq", "coupon-issued-success", "coupon-issued-success.dlq"];
    assert_eq!(made.iter().map(|topic| topic.name.clone()).collect::<Vec<_>>(), names.map(|name| shop.name(name)));
    assert!(made.iter().all(|topic| (topic.partitions, topic.replicas, topic.found) == (3, 1, Found::Missing)), "{made:?}");
    // when they are asked for again, then nothing is done;
    let again = create_topics(&shop.options(), three, ONE).await.unwrap();
    assert!(again.iter().all(|topic| topic.found == Found::AsAsked), "{again:?}");
    // when others are asked for, then it says what there is, and leaves it.
    let others = create_topics(&shop.options(), NonZeroU16::new(7).unwrap(), ONE).await.unwrap();
    assert!(others.iter().all(|topic| (topic.partitions, topic.found) == (3, Found::Otherwise)), "{others:?}");
    assert_eq!(others[0].to_string(), format!("{}: is there with 3 partitions of 1 replicas, and was left as it is", shop.name("order")));
    // More replicas than there are brokers cannot be had.
    let refused = create_topics(&shops.named().options(), three, NonZeroU16::new(3).unwrap()).await.unwrap_err();
    assert!(matches!(refused, TopicsError::Refused { .. }), "{refused}");
}

pub(crate) async fn what_is_missing_is_told_in_words(shops: Shops) {
    // Topics that were never made,
    let shop = shops.named();
    let refused = KafkaBus::connect(&shop.options()).await.err().unwrap();
    let ConnectError::TopicsMissing(missing) = &refused else { panic!("{refused}") };
    assert_eq!(missing.len(), 6);
    let (name, told) = (shop.name("order"), refused.to_string());
    assert!(told.starts_with(&format!("the brokers have no topic {name}, ")) && told.ends_with("commerce-admin topics"), "{told}");
    // one that is gone since,
    let shop = shops.open(1).await;
    let bus = shop.bus().await;
    let admin: AdminClient<DefaultClientContext> = shop.stranger().create().unwrap();
    admin.delete_topics(&[&shop.name("order")], &AdminOptions::new().operation_timeout(Some(Duration::from_secs(10)))).await.unwrap();
    // The broker says that it is gone before it has forgotten it.
    let deadline = Instant::now() + Duration::from_secs(20);
    let refused = loop {
        match bus.subscribe(Group::Stock, &[Topic::Order], StartAt::Acknowledged).await {
            Err(refused) => break refused,
            Ok(_not_yet) => assert!(Instant::now() < deadline, "a topic that was deleted can still be read"),
        }
    };
    assert_eq!(
        refused.0.to_string(),
        format!("the brokers have no topic {}: make the topics with commerce-admin topics", shop.name("order"))
    );
    // a broker that is not there,
    let (nobody, begun) = ("127.0.0.1:1".parse::<KafkaOptions>().unwrap(), Instant::now());
    let refused = KafkaBus::connect(&nobody).await.err().unwrap().to_string();
    assert!(refused.starts_with("no Kafka broker at 127.0.0.1:1 answers: ") && refused.contains("Connection refused"), "{refused}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    let refused = create_topics(&nobody, ONE, ONE).await.unwrap_err();
    assert!(matches!(refused, TopicsError::Connect(ConnectError::Unreachable { .. })), "{refused}");
    // and properties that cannot be, without what they were to be.
    for (property, reason) in [("linger.ms=secret", "it does not take this value"), ("lingre.ms=secret", "there is no such property")] {
        let options = "127.0.0.1:1".parse::<KafkaOptions>().unwrap().with_properties(property).unwrap();
        let refused = KafkaBus::connect(&options).await.err().unwrap().to_string();
        assert!(refused.ends_with(reason) && !refused.contains("secret"), "{refused}");
    }
}
