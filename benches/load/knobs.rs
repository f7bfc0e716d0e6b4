use std::env;
use std::fmt;
use std::time::Duration;

const CONNECTIONS_MAX: u64 = 2_000;
const SECONDS_MAX: u64 = 600;
/// What a run of the tests does: enough to see that everything works.
const TRIAL: (u64, u64, u64) = (4, 1, 0);
const MEASURED: (u64, u64, u64) = (40, 10, 2);

/// What can be varied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Knobs {
    pub(super) connections: u64,
    pub(super) lasting: Duration,
    pub(super) warm_up: Duration,
    pub(super) goods: Goods,
    pub(super) settling: Settling,
    authentication: Authentication,
    durability: Durability,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Authentication {
    Bearer,
    Off,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Durability {
    Full,
    Relaxed,
}

/// The value of a knob: an argument `NAME=value` wins over the environment.
fn knob(name: &str) -> Option<String> {
    let argument = env::args().find_map(|argument| argument.strip_prefix(name)?.strip_prefix('=').map(str::to_owned));
    argument.or_else(|| env::var(name).ok())
}

fn number(name: &str, default: u64, max: u64) -> Result<u64, String> {
    let Some(text) = knob(name) else { return Ok(default) };
    let number = text.parse().ok().filter(|number| (0..=max).contains(number));
    number.ok_or_else(|| format!("{name} must be a number up to {max}, not {text:?}"))
}

fn choice<T: Copy>(name: &str, default: (&str, T), other: (&str, T)) -> Result<T, String> {
    match knob(name).as_deref() {
        None => Ok(default.1),
        Some(text) if text == default.0 => Ok(default.1),
        Some(text) if text == other.0 => Ok(other.1),
        Some(text) => Err(format!("{name} must be {} or {}, not {text:?}", default.0, other.0)),
    }
}

impl Knobs {
    /// Reads the knobs; `measuring` is false for a run of the tests.
    pub(crate) fn read(measuring: bool) -> Result<Self, String> {
        let (connections, seconds, warm_up) = if measuring { MEASURED } else { TRIAL };
        Ok(Self {
            connections: number("CONNECTIONS", connections, CONNECTIONS_MAX)?.max(1),
            lasting: Duration::from_secs(number("SECONDS", seconds, SECONDS_MAX)?.max(1)),
            warm_up: Duration::from_secs(number("WARM_UP", warm_up, SECONDS_MAX)?),
            goods: choice("SPREAD", ("0", Goods::OneHotOption), ("1", Goods::Everything))?,
            settling: choice("POLL", ("0", Settling::Wait), ("1", Settling::Poll))?,
            authentication: choice("AUTH", ("bearer", Authentication::Bearer), ("off", Authentication::Off))?,
            durability: choice("DURABILITY", ("full", Durability::Full), ("relaxed", Durability::Relaxed))?,
        })
    }

    /// How long the disk is measured.
    pub(super) fn syncing(&self) -> Duration {
        self.lasting.min(Duration::from_secs(2)) / 2
    }

    pub(super) fn authenticated(&self) -> bool {
        self.authentication == Authentication::Bearer
    }

    pub(super) const fn durability(&self) -> &'static str {
        match self.durability {
            Durability::Full => "full",
            Durability::Relaxed => "relaxed",
        }
    }
}

impl fmt::Display for Knobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let goods = if self.goods == Goods::OneHotOption { "one hot option" } else { "all products" };
        let settling = if self.settling == Settling::Wait { "waiting for the order" } else { "polling the order" };
        let tokens = if self.authenticated() { "with tokens" } else { "without tokens" };
        let Self { connections, lasting, warm_up, .. } = self;
        write!(f, "load   {connections} connections for {lasting:?} after {warm_up:?} of warm-up, {goods}, {settling}, {tokens}, ")?;
        write!(f, "durability {}", self.durability())
    }
}
