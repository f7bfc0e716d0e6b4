use super::listeners::{Listeners, bind};
use super::set_up::{SetUp, needs_servers};
use super::{ConsumerArgs, Failure, OpenShop, Presence, SharedArgs, Signals, say, start_logging};
use crate::http::{AuthMode, HttpOptions};
use commerce_core::Commerce;
use std::time::Duration;

/// How long everything may take once the consumer is told to end.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(25);

/// Handles the events of a shop on servers until a signal ends it, and carries them from the outbox to Kafka.
///
/// # Errors
/// [`Failure::Usage`] for options that cannot be, [`Failure::Missing`] for a port or a server that is not to be had.
pub async fn run_consumer(shared: SharedArgs, consumer: ConsumerArgs) -> Result<(), Failure> {
    start_logging(shared.log);
    let set_up = shared.set_up()?;
    if matches!(set_up, SetUp::OneFile(_)) {
        return Err(needs_servers("commerce-api handles the events of a shop in one file itself"));
    }
    let groups = consumer.groups();
    let mut signals = Signals::listen()?;
    let opened = Box::pin(async {
        let shop = OpenShop::of(set_up, &shared, Presence::Beside).await?;
        shop.check_calendar(&shared).await?;
        Ok(shop)
    });
    let Some(shop) = signals.unless_ended(opened).await? else { return Ok(()) };
    let commerce = Commerce::open(shop.parts().clone(), shop.settings(&shared));
    let mut listeners = Listeners::new(HttpOptions { dependencies: shop.dependencies(), ..HttpOptions::new(AuthMode::Off) })?;
    if let Some(address) = consumer.ops_listen {
        listeners.serve_operators(bind(address).await?, &commerce);
    }
    commerce.start_relay();
    commerce.start_consumers(&groups);
    say(format_args!("handling events for {}", groups.iter().map(|group| group.name()).collect::<Vec<_>>().join(", ")));

    signals.next().await;
    tracing::info!("ending: what is being handled is committed and acknowledged first");
    let ended = async {
        listeners.end().await;
        commerce.shutdown().await;
        shop.close().await
    };
    signals.end_within(SHUTDOWN_DEADLINE, ended).await
}
