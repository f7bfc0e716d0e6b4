//! The message bus on a real Kafka broker.
//!
//! `COMMERCE_TEST_KAFKA=HOST:PORT` names a broker that may be used by others too: every test has topics of its own and removes them.

mod shop;

use commerce_core::testing::contract;
use libtest_mimic::{Arguments, Trial};
use shop::Shops;
use std::process::ExitCode;
use std::sync::Arc;

const ADDRESS: &str = "COMMERCE_TEST_KAFKA";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let address = std::env::var(ADDRESS).ok();
    let trials = vec![trial(address.as_deref(), "contract", async |shops| keeps_its_contract(&shops).await)];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A test on topics of its own; it is seen to be left out if there is no broker.
fn trial(address: Option<&str>, name: &str, test: impl AsyncFnOnce(Shops) + Send + 'static) -> Trial {
    let Some(address) = address.map(str::to_owned) else {
        return Trial::test(format!("{name} (left out: {ADDRESS} is not given)"), || Ok(())).with_ignored_flag(true);
    };
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(async {
            let shops = Shops::on(&address);
            let outcome = futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(test(shops.clone()))).await;
            shops.close().await;
            if let Err(panic) = outcome {
                std::panic::resume_unwind(panic);
            }
        });
        Ok(())
    })
}

async fn keeps_its_contract(shops: &Shops) {
    contract::message_bus(async || contract::BusUnderTest::publishing(Arc::new(shops.open(4).await.bus().await))).await;
}
