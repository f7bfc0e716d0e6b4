//! Knobs: an argument `NAME=value` wins over the environment.

use std::env;

/// What a knob is set to.
fn knob(name: &str) -> Option<String> {
    let argument = env::args().find_map(|argument| argument.strip_prefix(name)?.strip_prefix('=').map(str::to_owned));
    argument.or_else(|| env::var(name).ok())
}

/// A knob that is some words with commas in between.
pub(crate) fn words(name: &str) -> Option<Vec<String>> {
    Some(knob(name)?.split(',').map(|word| word.trim().to_owned()).collect())
}

/// A knob that is a number up to `max`.
pub(crate) fn number(name: &str, default: u64, max: u64) -> Result<u64, String> {
    let Some(text) = knob(name) else { return Ok(default) };
    let number = text.parse().ok().filter(|number| (0..=max).contains(number));
    number.ok_or_else(|| format!("{name} must be a number up to {max}, not {text:?}"))
}

/// A knob that is some numbers from 1 to `max`, with commas in between.
pub(crate) fn numbers(name: &str, default: &[u64], max: u64) -> Result<Vec<u64>, String> {
    let Some(text) = knob(name) else { return Ok(default.to_vec()) };
    let numbers = text.split(',').map(|number| number.trim().parse().ok().filter(|number| (1..=max).contains(number)));
    numbers.collect::<Option<_>>().ok_or_else(|| format!("{name} must be numbers from 1 to {max} with commas in between, not {text:?}"))
}

/// A knob that is one of two words.
pub(crate) fn choice<T: Copy>(name: &str, default: (&str, T), other: (&str, T)) -> Result<T, String> {
    match knob(name).as_deref() {
        None => Ok(default.1),
        Some(text) if text == default.0 => Ok(default.1),
        Some(text) if text == other.0 => Ok(other.1),
        Some(text) => Err(format!("{name} must be {} or {}, not {text:?}", default.0, other.0)),
    }
}

/// The knobs that say how the server runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServerKnobs {
    authentication: Authentication,
    durability: Durability,
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

impl ServerKnobs {
    pub(crate) fn read() -> Result<Self, String> {
        Ok(Self {
            authentication: choice("AUTH", ("bearer", Authentication::Bearer), ("off", Authentication::Off))?,
            durability: choice("DURABILITY", ("full", Durability::Full), ("relaxed", Durability::Relaxed))?,
        })
    }

    pub(crate) fn authenticated(self) -> bool {
        self.authentication == Authentication::Bearer
    }

    /// The arguments of the server of a shop in one file, or of the servers of one on MySQL.
    pub(crate) fn arguments(self, is_a_file: bool) -> Vec<&'static str> {
        let mut arguments = if is_a_file { vec!["--durability", self.durability()] } else { Vec::new() };
        if !self.authenticated() {
            arguments.extend(["--auth", "off"]);
        }
        arguments
    }

    const fn durability(self) -> &'static str {
        match self.durability {
            Durability::Full => "full",
            Durability::Relaxed => "relaxed",
        }
    }
}

impl std::fmt::Display for ServerKnobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, durability {}", if self.authenticated() { "with tokens" } else { "without tokens" }, self.durability())
    }
}
