use super::own_server;
use super::place::{Place, Plot};
use libtest_mimic::Trial;
use std::sync::Arc;
use tokio::runtime::Builder;

/// A test on servers that others use too: left out if their address is not given.
pub(crate) fn shared<F: Future<Output = ()> + 'static>(place: Place, name: &str, test: fn(Arc<Plot>) -> F) -> Trial {
    match place.url() {
        Some(url) => trial(&format!("{}::{name}", place.name()), move || test(Arc::new(Plot::new(place, url)))),
        None => left_out(&format!("{}::{name}", place.name()), &format!("{} is not set", place.variable())),
    }
}

/// A test on servers that it starts for itself: left out where Redis is not installed.
pub(crate) fn own<F: Future<Output = ()> + 'static>(name: &str, test: fn() -> F) -> Trial {
    if own_server::is_installed() { trial(name, test) } else { left_out(name, "there is no redis-server on this machine") }
}

fn trial<F: Future<Output = ()> + 'static>(name: &str, test: impl FnOnce() -> F + Send + 'static) -> Trial {
    Trial::test(name, move || {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(test());
        Ok(())
    })
}

fn left_out(name: &str, why: &str) -> Trial {
    Trial::test(format!("{name} (left out: {why})"), || Ok(())).with_ignored_flag(true)
}
