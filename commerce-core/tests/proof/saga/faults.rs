use super::ending::{Ending, Scene};
use crate::books::Books;
use crate::shop::Shop;
use commerce_core::testing::Fault;

/// Plays an ending with `fault` at the unit of work `place` of the saga's steps; whether the fault struck.
async fn strikes(ending: Ending, fault: Fault, place: usize, calm: &Books) -> bool {
    // Given a scene whose saga meets one fault,
    let scene = Scene::set().await;
    let mut script = vec![None; place];
    script.push(Some(fault));
    scene.shop.faults.script(script);
    // when the order goes its way,
    let order = ending.play(&scene, Shop::settle).await;
    // then everything is as it would have been without the fault.
    assert_eq!(&ending.check(&scene, order).await, calm, "{ending:?} with {fault:?} at {place}");
    scene.shop.faults.counts().faults() > 0
}

#[tokio::test(start_paused = true)]
async fn every_step_of_every_ending_survives_every_fault_once() {
    const PLACES_MAX: usize = 50;
    for ending in Ending::ALL {
        let scene = Scene::set().await;
        let order = ending.play(&scene, Shop::settle).await;
        let calm = ending.check(&scene, order).await;
        for fault in Fault::ALL {
            let mut places = 0;
            while strikes(ending, fault, places, &calm).await {
                places += 1;
                assert!(places < PLACES_MAX, "the steps of {ending:?} end");
            }
            assert!(places >= 2, "{ending:?} was struck by {fault:?} at {places} places");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_ending_survives_many_faults_and_a_bus_that_misbehaves() {
    const SEEDS: u64 = 8;
    const PERCENT: u8 = 40;
    for ending in Ending::ALL {
        for seed in 0..SEEDS {
            // Given a store that often fails and a bus that repeats and holds back,
            let mut scene = Scene::set().await;
            scene.shop.trouble(seed, PERCENT);
            // when the order goes its way,
            let order = ending.play(&scene, Shop::settle).await;
            // then each effect was there exactly once.
            ending.check(&scene, order).await;
            assert!(scene.shop.faults.counts().committed > 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_outlasts_every_retry_is_waited_out() {
    // Given an order, and a store that is down for far longer than one unit of work is retried,
    let scene = Scene::set().await;
    scene.shop.faults.script(vec![Some(Fault::BeginUnavailable); 100]);
    // when the saga goes on,
    let order = Ending::Awaiting.play(&scene, Shop::settle).await;
    // then nothing was put aside and the order has what it asked for.
    assert_eq!(scene.shop.faults.counts().begin_unavailable, 100);
    Ending::Awaiting.check(&scene, order).await;
}
