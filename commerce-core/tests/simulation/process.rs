//! The processes of the shop: they crash, and are started again.

use crate::dice::Dice;
use crate::parts::{Moment, Plug, PluggedBoard, PluggedBus, PluggedCache, PluggedGate, PluggedLocks, PluggedNotifier, PluggedStore};
use crate::world::World;
use commerce_core::messaging::{Group, Relay};
use commerce_core::store::HiLo;
use commerce_core::testing::{PlainHasher, SeededRandom};
use commerce_core::{Clock, Commerce, Parts};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const DOWN_MS: u64 = 2_500;
/// Most calls that a process does before it crashes: fewer than it does in a run.
const CALLS_MAX: i64 = 250;

/// A running process.
#[derive(Clone)]
pub(crate) struct Process {
    pub(crate) commerce: Commerce,
    pub(crate) plug: Arc<Plug>,
}

impl Process {
    pub(crate) fn put_out_fuse(&self) {
        self.plug.put_out_fuse();
    }
}

impl World {
    /// Starts a process: commands, consumers of all groups, scheduler and relay.
    pub(crate) fn start_process(&self, slot: usize, dice: &Dice) {
        let plug = Plug::new(Arc::clone(&self.weather));
        let store = Arc::new(PluggedStore { inner: Arc::clone(&self.faulty) as _, plug: Arc::clone(&plug) });
        let bus = Arc::new(PluggedBus { inner: Arc::new(self.bus.clone()), plug: Arc::clone(&plug) });
        let random = || Arc::new(SeededRandom::new(u64::try_from(dice.between(0, i64::MAX)).unwrap_or_default()));
        let parts = Parts {
            ids: Arc::new(HiLo::new(Arc::clone(&store) as _)),
            store: Arc::clone(&store) as _,
            bus: Arc::clone(&bus) as _,
            notifier: Arc::new(PluggedNotifier { inner: self.notifier.clone(), plug: Arc::clone(&plug) }),
            locks: Arc::new(PluggedLocks { inner: self.locks.clone(), plug: Arc::clone(&plug) }),
            gate: Arc::new(PluggedGate { inner: self.gate.clone(), plug: Arc::clone(&plug) }),
            board: Arc::new(PluggedBoard { inner: self.board.clone(), plug: Arc::clone(&plug) }),
            cache: Arc::new(PluggedCache { inner: self.cache.clone(), plug: Arc::clone(&plug) }),
            passwords: Arc::new(PlainHasher),
            clock: Arc::clone(&self.clock) as _,
            random: random(),
        };
        let commerce = Commerce::open(parts, self.settings);
        commerce.start_consumers(&Group::ALL);
        commerce.start_scheduler();
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let relay = Relay::new(store, bus, clock, random(), Arc::default());
        tokio::spawn(relay.run(CancellationToken::new()));
        self.processes.borrow_mut()[slot] = Some(Process { commerce, plug });
        self.note("shop", &format!("process {slot} runs"));
    }

    /// Lets the process in a slot crash at one of its calls, again and again, and starts it anew.
    pub(crate) async fn supervise(&self, slot: usize, dice: &Dice) {
        loop {
            let Some(process) = self.process(slot) else { return };
            if self.crashes.get() && dice.chance(70) {
                let moment = if dice.chance(50) { Moment::Before } else { Moment::After };
                process.plug.light_fuse(u64::try_from(dice.between(1, CALLS_MAX)).unwrap_or_default(), moment);
            }
            process.plug.pulled().await;
            self.note("shop", &format!("process {slot} has crashed"));
            self.processes.borrow_mut()[slot] = None;
            tokio::time::sleep(dice.millis(DOWN_MS)).await;
            self.start_process(slot, dice);
        }
    }

    pub(crate) fn process(&self, slot: usize) -> Option<Process> {
        self.processes.borrow().get(slot).cloned().flatten()
    }

    /// A process that runs, whichever.
    pub(crate) fn any_process(&self, dice: &Dice) -> Option<Process> {
        let running: Vec<usize> = (0..self.processes.borrow().len()).filter(|slot| self.process(*slot).is_some()).collect();
        dice.pick(&running).and_then(|slot| self.process(slot))
    }
}

/// How long a client waits for an answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(8);
