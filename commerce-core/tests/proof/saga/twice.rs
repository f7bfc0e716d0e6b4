use super::ending::{Ending, Scene};
use crate::books::Books;
use crate::shop::Shop;

#[tokio::test(start_paused = true)]
async fn events_that_are_delivered_again_change_nothing() {
    for ending in Ending::ALL {
        // Given an order that has come to its end,
        let scene = Scene::set().await;
        let order = ending.play(&scene, Shop::settle).await;
        let before = ending.check(&scene, order).await;
        // when every event comes again, twice,
        for _ in 0..2 {
            scene.shop.repeat_history().await;
            scene.shop.settle().await;
        }
        // then nothing has changed.
        assert_eq!(ending.check(&scene, order).await, before, "{ending:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn facts_that_are_told_again_under_other_ids_change_nothing() {
    for ending in Ending::ALL {
        // Given an order that has come to its end,
        let scene = Scene::set().await;
        let order = ending.play(&scene, Shop::settle).await;
        let before = ending.check(&scene, order).await;
        // when every fact is told again under an id that no inbox knows,
        scene.shop.retell_history().await;
        scene.shop.settle().await;
        // then nothing has changed: the inbox is not the only guard.
        assert_eq!(ending.check(&scene, order).await, before, "{ending:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_that_failed_takes_no_stock_when_it_is_told_again_after_a_delivery_of_goods() {
    // Given an order that failed for want of stock, and new stock,
    let scene = Scene::set().await;
    Ending::StockRejected.play(&scene, Shop::settle).await;
    scene.shop.commerce.adjust_stock(scene.options[1], 5, "a delivery").await.unwrap();
    // when its creation is told again,
    scene.shop.retell_history().await;
    scene.shop.settle().await;
    // then the new stock is still there for others.
    assert_eq!(Books::close(&scene.shop).await.stock[&scene.options[1]], 10);
    assert_eq!(scene.shop.dead_letters().await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_step_that_comes_twice_in_one_batch_is_taken_once() {
    // Given an order whose creation is told three times before anybody listens,
    let scene = Scene::set().await;
    let order = scene.shop.place(scene.buyer, &[(scene.options[0], 2), (scene.options[1], 3)], Some(scene.coupon)).await;
    scene.shop.carry().await;
    scene.shop.repeat_history().await;
    scene.shop.retell_history().await;
    // when the saga goes on, and every reservation is told again before anybody listens,
    scene.shop.deliver(commerce_core::messaging::Group::Stock).await;
    scene.shop.carry().await;
    scene.shop.retell_history().await;
    scene.shop.settle().await;
    // then the order holds what it asked for, once.
    Ending::Awaiting.check(&scene, order).await;
}
