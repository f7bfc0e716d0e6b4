//! One run: a shop opens, people come while everything goes wrong, the faults heal, and the books are looked at.

use crate::dice::Dice;
use crate::people::{Administrator, Buyer, Client, Public, rage};
use crate::tally::Tally;
use crate::world::World;
use commerce_core::messaging::SagaPace;
use futures_util::FutureExt;
use futures_util::future::{join_all, select_all};
use std::rc::Rc;

/// What a run has shown.
pub(crate) struct Shown {
    pub(crate) history: Vec<String>,
    pub(crate) broken: Vec<String>,
    pub(crate) tally: Tally,
}

/// Plays the run of a seed, in virtual time.
pub(crate) fn play(seed: u64) -> Shown {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let world = runtime.expect("a runtime without threads can be built").block_on(live(seed));
    let mut tally = std::mem::take(&mut *world.tally());
    let faults = world.faulty.counts();
    for (which, times) in [
        ("begin unavailable", faults.begin_unavailable),
        ("commit unavailable", faults.commit_unavailable),
        ("commit conflict", faults.commit_conflict),
        ("commit ambiguous", faults.commit_ambiguous),
        ("commit lost", faults.commit_lost),
    ] {
        tally.add(("store fault", which), times);
    }
    let messages = world.bus.mischief();
    for (which, times) in [
        ("repeated", messages.repeated),
        ("held back", messages.held_back),
        ("overtaken", messages.overtaken),
        ("acknowledgement forgotten", messages.forgotten),
    ] {
        tally.add(("message fault", which), times);
    }
    let history = world.history.borrow();
    Shown { history: history.lines().to_vec(), broken: history.faults().to_vec(), tally }
}

async fn live(seed: u64) -> Rc<World> {
    let world = Rc::new(World::new(seed));
    let dice = Dice::of(seed, 2);
    let slots = 1 + dice.below(2);
    world.processes.borrow_mut().resize_with(slots, || None);
    let process_dice: Vec<_> = (0..slots).map(|slot| Dice::of(seed, 10 + slot as u64)).collect();
    (0..slots).for_each(|slot| world.start_process(slot, &process_dice[slot]));
    world.count("processes", if slots == 1 { "one" } else { "two" });
    world.count("zone", world.settings.calendar.name());
    let within_commit = world.settings.saga_pace == SagaPace::WithinCommit;
    world.count("saga", if within_commit { "within commit" } else { "by message" });
    let buyers = 2 + dice.below(3);
    let users = world.set_up(&dice, buyers).await;
    world.turn_bad();

    let client = |name: &str, who: u64| Client { world: Rc::clone(&world), name: name.to_owned(), dice: Dice::of(seed, who) };
    let public = Rc::<Public>::default();
    let buyers: Vec<_> =
        (100..).zip(users).map(|(who, user)| Buyer::new(client(&format!("buyer {user}"), who), user, Rc::clone(&public))).collect();
    let (administrator, nature) = (Administrator(client("admin", 20)), client("nature", 21));
    let supervised = select_all((0..slots).map(|slot| world.supervise(slot, &process_dice[slot]).boxed_local()));
    let lived = async {
        let visits = join_all(buyers.iter().map(Buyer::visit));
        futures_util::join!(visits, administrator.work(), rage(&nature));
        world.heal();
        world.come_to_rest().await;
        world.close().await;
    };
    tokio::select! {
        biased;
        () = lived => {}
        _ = supervised => world.broken("a process is supervised no more"),
    }
    world
}
