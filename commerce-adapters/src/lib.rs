//! x
#[cfg(feature = "http")]
pub mod http;
