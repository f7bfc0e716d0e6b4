use crate::measure::knob::{ServerKnobs, choice, number, numbers};
use crate::measure::measuring;
use crate::measure::set_up::SetUp;
use std::fmt;
use std::time::Duration;

const BUYERS_MAX: u64 = 2_000;
const AT_ONCE_MAX: u64 = 8;
const SECONDS_MAX: u64 = 600;
/// What a run of the tests does: enough to see that everything works.
const TRIAL: (&[u64], u64, u64) = (&[4], 1, 0);
const MEASURED: (&[u64], u64, u64) = (&[8, 40, 256], 10, 2);

/// What can be varied.
#[derive(Debug, Clone)]
pub(crate) struct Knobs {
    pub(super) set_ups: Vec<SetUp>,
    /// How many buy at once, in one round after the other.
    pub(super) buyers: Vec<u64>,
    pub(super) lasting: Duration,
    pub(super) warm_up: Duration,
    pub(super) goods: Goods,
    pub(super) settling: Settling,
    pub(super) server: ServerKnobs,
    /// How many transactions a process runs at once, on servers; nothing leaves it to the process.
    pub(super) at_once: Option<u64>,
}

/// What is bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goods {
    OneHotOption,
    Everything,
}

/// How a buyer learns that its order can be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settling {
    Wait,
    Poll,
}

impl Knobs {
    pub(crate) fn read() -> Result<Self, String> {
        let (buyers, seconds, warm_up) = if measuring() { MEASURED } else { TRIAL };
        Ok(Self {
            set_ups: SetUp::asked_for()?,
            buyers: numbers("BUYERS", buyers, BUYERS_MAX)?,
            lasting: Duration::from_secs(number("SECONDS", seconds, SECONDS_MAX)?.max(1)),
            warm_up: Duration::from_secs(number("WARM_UP", warm_up, SECONDS_MAX)?),
            goods: choice("SPREAD", ("0", Goods::OneHotOption), ("1", Goods::Everything))?,
            settling: choice("POLL", ("0", Settling::Wait), ("1", Settling::Poll))?,
            server: ServerKnobs::read()?,
            at_once: Some(number("AT_ONCE", 0, AT_ONCE_MAX)?).filter(|at_once| *at_once > 0),
        })
    }

    /// How long the disk is measured.
    pub(super) fn syncing(&self) -> Duration {
        self.lasting.min(Duration::from_secs(2)) / 2
    }
}

impl fmt::Display for Knobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let goods = if self.goods == Goods::OneHotOption { "one hot option" } else { "all products" };
        let settling = if self.settling == Settling::Wait { "waiting for the order" } else { "polling the order" };
        let Self { lasting, warm_up, server, .. } = self;
        write!(f, "load   {lasting:?} after {warm_up:?} of warm-up, {goods}, {settling}, {server}")?;
        self.at_once.map_or(Ok(()), |at_once| write!(f, ", {at_once} transactions of a process at once"))
    }
}
