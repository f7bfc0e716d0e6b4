use crate::measure::knob::{ServerKnobs, number};
use crate::measure::measuring;
use crate::measure::set_up::SetUp;
use std::fmt;

const CONNECTIONS_MAX: u64 = 2_000;
const STOCK_MAX: u64 = 100_000;
const OVERSUBSCRIBED_MAX: u64 = 1_000;
const CUSTOMERS_MAX: u64 = 1_000_000;
/// What a run of the tests does: enough to see that everything works.
const TRIAL: (u64, u64) = (4, 20);
const MEASURED: (u64, u64) = (40, 2_000);

/// What can be varied.
#[derive(Debug, Clone)]
pub(crate) struct Knobs {
    pub(super) set_ups: Vec<SetUp>,
    pub(super) connections: u64,
    pub(super) stock: u64,
    /// How many customers ask for each coupon there is.
    pub(super) oversubscribed: u64,
    pub(super) server: ServerKnobs,
}

impl Knobs {
    pub(crate) fn read() -> Result<Self, String> {
        let (connections, stock) = if measuring() { MEASURED } else { TRIAL };
        let knobs = Self {
            set_ups: SetUp::asked_for()?,
            connections: number("CONNECTIONS", connections, CONNECTIONS_MAX)?.max(1),
            stock: number("STOCK", stock, STOCK_MAX)?.max(1),
            oversubscribed: number("OVERSUBSCRIBED", 50, OVERSUBSCRIBED_MAX)?.max(1),
            server: ServerKnobs::read()?,
        };
        if knobs.customers() > CUSTOMERS_MAX {
            return Err(format!("STOCK times OVERSUBSCRIBED must be at most {CUSTOMERS_MAX}"));
        }
        Ok(knobs)
    }

    pub(super) const fn customers(&self) -> u64 {
        self.stock * self.oversubscribed
    }
}

impl fmt::Display for Knobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connections, stock, server, .. } = self;
        write!(f, "load   {} customers ask for {stock} coupons over {connections} connections, {server}", self.customers())
    }
}
