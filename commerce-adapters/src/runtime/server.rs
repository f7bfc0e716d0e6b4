use super::drain::everything_is_handled;
use super::{AuthChoice, DemoOutcome, Failure, ServerArgs, SharedArgs, Signals, close, fill_demo, open_alone, secret, start_logging};
use crate::http::{AuthMode, HttpOptions, OpsRoutes, ServerLimits, install_metrics, ops_router, router, serve};
use commerce_core::messaging::Group;
use commerce_core::{Commerce, Settings};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long everything may take once the server is told to end; requests in flight have ten seconds of it.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(25);
/// How long of it may go into the events that are still to be handled.
const DRAIN_DEADLINE: Duration = Duration::from_secs(10);

/// Runs the API server of the embedded set-up until a signal ends it: HTTP, the consumers and the scheduler.
///
/// # Errors
/// [`Failure::Usage`] for options that cannot be, [`Failure::Missing`] for a port or a file that is not to be had.
pub async fn run_server(shared: SharedArgs, server: ServerArgs) -> Result<(), Failure> {
    start_logging(shared.log);
    server.check()?;
    let mut signals = Signals::listen()?;
    let shop = open_alone(&shared).await?;
    // The ports are taken before anything is filled, so that a port in use leaves the database as it was.
    let listener = bind(server.listen).await?;
    let ops_listener = match server.ops_listen {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let auth = auth_mode(&shared, &server)?;
    let demo = if server.demo { Some(fill_demo(shop.parts(), shared.time_zone).await?) } else { None };
    demo.into_iter().for_each(report);

    let settings = Settings {
        calendar: shared.time_zone,
        payment_deadline: server.payment_deadline,
        coupon_window: server.coupon_window,
        ..Settings::default()
    };
    let commerce = Commerce::open(shop.parts().clone(), settings);
    // Before anybody asks: nobody is to be told to wait for a gate that only has to be read in.
    let opened = commerce.gate_keeper().open_closed(shop.parts().clock.now()).await;
    opened.map_err(|error| Failure::missing("cannot open the coupon gates", &error))?;
    commerce.start_consumers(&Group::ALL);
    commerce.start_scheduler();

    let shutdown = CancellationToken::new();
    let address = listener.local_addr().map_err(|error| Failure::missing("cannot tell the address", &error))?;
    let metrics = install_metrics().map_err(|error| Failure::missing("cannot keep metrics", &error))?;
    let ops_routes = if ops_listener.is_some() { OpsRoutes::OwnPort } else { OpsRoutes::SamePort };
    let options = HttpOptions { ops_routes, metrics: Some(metrics), shutdown: shutdown.clone(), ..HttpOptions::new(auth) };
    let mut servers = tokio::task::JoinSet::new();
    if let Some(listener) = ops_listener {
        servers.spawn(serve(listener, ops_router(commerce.clone(), &options), ServerLimits::default(), shutdown.clone()));
    }
    servers.spawn(serve(listener, router(commerce.clone(), options), ServerLimits::default(), shutdown.clone()));
    println!("listening on http://{address}");
    if demo.is_some_and(|outcome| outcome != DemoOutcome::InUse) {
        greet(address);
    }

    signals.next().await;
    tracing::info!("ending: requests in flight finish first");
    shutdown.cancel();
    let ended = async {
        while servers.join_next().await.is_some() {}
        // What follows from the last requests is handled, too: the file is left with nothing on its way.
        match timeout(DRAIN_DEADLINE, everything_is_handled(&commerce)).await {
            Ok(handled) => handled?,
            Err(_late) => tracing::warn!("not all events are handled yet: it is gone on with at the next start"),
        }
        commerce.shutdown().await;
        close(shop).await
    };
    tokio::select! {
        closed = timeout(SHUTDOWN_DEADLINE, ended) => closed.unwrap_or_else(|_| Err(Failure::Missing("the shutdown took too long: what was acknowledged is kept".into()))),
        () = signals.next() => {
            tracing::warn!("a second signal: ending at once");
            Ok(())
        }
    }
}

pub(super) async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| Failure::missing(format!("cannot listen on {address}: choose another address"), &error))
}

fn auth_mode(shared: &SharedArgs, server: &ServerArgs) -> Result<AuthMode, Failure> {
    match server.auth {
        AuthChoice::Off => {
            tracing::warn!("nobody is checked: every caller may act for every user and as administrator");
            Ok(AuthMode::Off)
        }
        AuthChoice::Bearer => {
            let secret = secret::token_key(server.auth_secret_file.as_deref(), shared.sqlite_path()?)?;
            Ok(AuthMode::Bearer { secret })
        }
    }
}

fn report(outcome: DemoOutcome) {
    match outcome {
        DemoOutcome::Filled => tracing::info!("the demo shop is filled"),
        DemoOutcome::AlreadyThere => tracing::info!("the demo shop is there already"),
        DemoOutcome::InUse => tracing::warn!("the database has users of its own: it was not filled with the demo shop"),
    }
}

/// Says how to log in, and gives a purchase to paste.
fn greet(address: SocketAddr) {
    let email = "customer1@commerce.example";
    let (customer, admin, admin_email) = (super::demo::CUSTOMER_PASSWORD, super::demo::ADMIN_PASSWORD, super::demo::ADMIN_EMAIL);
    eprintln!(
        r#"
This is the demo shop: customers customer1@commerce.example … customer2000@commerce.example with the password {customer},
and the administrator {admin_email} with the password {admin}. The API is described at http://{address}/docs

A purchase to paste into another terminal:

  SHOP=http://{address}
  TOKEN=$(curl -s $SHOP/api/auth/login -H 'Content-Type: application/json' \
    -d '{{"email":"{email}","password":"{customer}"}}' | sed 's/.*"accessToken":"\([^"]*\)".*/\1/')
  send() {{ curl -s -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' "$@"; echo; }}
  send $SHOP/api/products/rank/5
  send $SHOP/api/users/1/points -d '{{"chargePoint":200000}}'
  ORDER=$(send $SHOP/api/orders -H 'Prefer: wait=5' -d '{{"userId":1,"orderProductRequests":[{{"productOptionId":1,"quantity":1}}]}}' \
    | sed 's/.*"data":{{"id":\([0-9]*\).*/\1/')
  send $SHOP/api/payments -d "{{\"orderId\":$ORDER,\"userId\":1,\"type\":\"POINT\"}}"
  send $SHOP/api/orders/$ORDER
"#
    );
}
