use super::demo::greet;
use super::drain::everything_is_handled;
use super::listeners::{Listeners, bind};
use super::secret::TokenKey;
use super::set_up::SetUp;
use super::{
    AuthChoice, DemoOutcome, Failure, OpenShop, Presence, ServerArgs, SharedArgs, Signals, Topology, fill_demo, say, start_logging,
};
use crate::http::{AuthMode, HttpOptions, OpsRoutes, router};
use commerce_core::messaging::Group;
use commerce_core::{Commerce, Settings};
use std::time::Duration;
use tokio::time::timeout;

/// How long everything may take once the server is told to end and has drained; requests in flight have ten seconds of it.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(25);
/// How long of it may go into the events that are still to be handled.
const DRAIN_DEADLINE: Duration = Duration::from_secs(10);

/// Runs the API server of a shop until a signal ends it. On one file it handles the events and does the jobs, too; on servers others do.
///
/// # Errors
/// [`Failure::Usage`] for options that cannot be, [`Failure::Missing`] for a port, a file or a server that is not to be had.
pub async fn run_server(shared: SharedArgs, server: ServerArgs) -> Result<(), Failure> {
    start_logging(shared.log);
    server.check()?;
    let set_up = shared.set_up()?;
    let token_key = token_key(&set_up, &server)?;
    let mut signals = Signals::listen()?;
    let started = Box::pin(start(set_up, &shared, &server, token_key));
    let Some((shop, commerce, mut listeners)) = signals.unless_ended(started).await? else { return Ok(()) };

    signals.next().await;
    tracing::info!("ending: requests in flight finish first");
    let ended = async {
        listeners.leave(server.drain).await;
        if shop.topology() != Topology::Servers {
            // What follows from the last requests is handled, too: the file is left with nothing on its way.
            match timeout(DRAIN_DEADLINE, everything_is_handled(&commerce)).await {
                Ok(handled) => handled?,
                Err(_late) => tracing::warn!("not all events are handled yet: it is gone on with at the next start"),
            }
        }
        commerce.shutdown().await;
        shop.close().await
    };
    signals.end_within(server.drain + SHUTDOWN_DEADLINE, ended).await
}

/// Opens the shop and serves it.
async fn start(
    set_up: SetUp,
    shared: &SharedArgs,
    server: &ServerArgs,
    token_key: Option<TokenKey>,
) -> Result<(OpenShop, Commerce, Listeners), Failure> {
    let shop = OpenShop::of(set_up, shared, Presence::Alone).await?;
    if shop.topology() == Topology::Servers {
        shop.check_calendar(shared).await?;
    }
    // The ports are taken before anything is filled, so that a port in use leaves the database as it was.
    let listener = bind(server.listen).await?;
    let ops_listener = match server.ops_listen {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let auth = auth_mode(token_key.as_ref())?;
    let demo = if server.demo { Some(fill_demo(&shop, shared).await?) } else { None };
    demo.into_iter().for_each(report);

    let settings = Settings { payment_deadline: server.payment_deadline, coupon_window: server.coupon_window, ..shop.settings(shared) };
    let commerce = Commerce::open(shop.parts().clone(), settings);
    begin(&shop, &commerce).await?;

    let address = listener.local_addr().map_err(|error| Failure::missing("cannot tell the address", &error))?;
    let mut listeners = Listeners::new(HttpOptions { dependencies: shop.dependencies(), ..HttpOptions::new(auth) })?;
    if let Some(listener) = ops_listener {
        listeners.options.ops_routes = OpsRoutes::OwnPort;
        listeners.serve_operators(listener, &commerce);
    }
    let routes = router(commerce.clone(), listeners.options.clone());
    listeners.serve(listener, routes);
    say(format_args!("listening on http://{address}"));
    if demo.is_some_and(|outcome| outcome != DemoOutcome::InUse) {
        greet(address);
    }
    Ok((shop, commerce, listeners))
}

/// Begins what goes on beside the requests.
async fn begin(shop: &OpenShop, commerce: &Commerce) -> Result<(), Failure> {
    if shop.topology() == Topology::Servers {
        // An order is payable from the commit that places it; consumers elsewhere pass over the messages.
        commerce.follow(&Group::ALL);
        commerce.start_relay();
        // Whoever finds a gate closed opens it: nobody has to wait for all of them, nor for another process that is at it.
        commerce.open_gates_in_the_background();
        return Ok(());
    }
    // Before anybody asks: nobody is to be told to wait for a gate that only has to be read in.
    let opened = commerce.gate_keeper().open_closed(shop.parts().clock.now()).await;
    opened.map_err(|error| Failure::missing("cannot open the coupon gates", &error))?;
    commerce.start_consumers(&Group::ALL);
    commerce.start_scheduler();
    Ok(())
}

/// Where the token key is; `None` if nobody is checked.
#[cfg_attr(not(feature = "distributed"), expect(clippy::unnecessary_wraps, reason = "a build with the feature refuses what has no key"))]
fn token_key(set_up: &SetUp, server: &ServerArgs) -> Result<Option<TokenKey>, Failure> {
    match (server.auth, &server.auth_secret_file, set_up) {
        (AuthChoice::Off, ..) => Ok(None),
        (AuthChoice::Bearer, Some(path), _) => Ok(Some(TokenKey::In(path.clone()))),
        (AuthChoice::Bearer, None, SetUp::OneFile(database)) => Ok(Some(TokenKey::Beside(database.clone()))),
        // A token of one API server must be good at all the others.
        #[cfg(feature = "distributed")]
        (AuthChoice::Bearer, None, SetUp::Servers(_)) => Err(Failure::Usage(
            "a shop on MySQL needs --auth-secret-file PATH: a key of at least 32 bytes, the same for all its API servers".into(),
        )),
    }
}

fn auth_mode(token_key: Option<&TokenKey>) -> Result<AuthMode, Failure> {
    let Some(token_key) = token_key else {
        tracing::warn!("nobody is checked: every caller may act for every user and as administrator");
        return Ok(AuthMode::Off);
    };
    Ok(AuthMode::Bearer { secret: token_key.read()? })
}

fn report(outcome: DemoOutcome) {
    match outcome {
        DemoOutcome::Filled => tracing::info!("the demo shop is filled"),
        DemoOutcome::AlreadyThere => tracing::info!("the demo shop is there already"),
        DemoOutcome::InUse => tracing::warn!("the database has users of its own: it was not filled with the demo shop"),
    }
}
