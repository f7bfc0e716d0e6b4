//! What the end-to-end tests and the benchmark share: a running server, and a client for it.

pub(crate) mod http;
pub(crate) mod process;
