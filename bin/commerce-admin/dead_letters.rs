use commerce_adapters::runtime::{Failure, OpenShop, Presence, SharedArgs, Topology, say};
use commerce_core::messaging::DeadLetter;
use commerce_core::store::{PageLimit, StoreError};
use commerce_core::{Commerce, DeadLetterId};

/// What to do with dead letters.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// List the events that could not be handled, a line each
    List,
    /// Show one of them whole
    Show {
        /// The id that `list` gives
        id: i64,
    },
    /// Send events to their group again, once what was wrong is mended
    Replay {
        /// The id that `list` gives
        #[arg(required_unless_present = "all")]
        id: Option<i64>,
        /// Every one of them
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
}

pub(crate) async fn run(shared: &SharedArgs, command: Command) -> Result<(), Failure> {
    let shop = OpenShop::open(shared, Presence::Beside).await?;
    let commerce = Commerce::open(shop.parts().clone(), shop.settings(shared));
    if shop.topology() == Topology::Servers {
        commerce.start_relay();
    }
    let outcome = match command {
        Command::List => list(&commerce).await,
        Command::Show { id } => show(&commerce, letter_id(id)?).await,
        Command::Replay { id: Some(id), .. } => replay(&commerce, letter_id(id)?).await,
        Command::Replay { id: None, .. } => replay_all(&commerce).await,
    };
    commerce.shutdown().await;
    shop.close().await?;
    outcome
}

async fn list(commerce: &Commerce) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let letters = page(commerce, after).await?;
        for DeadLetter { id, letter, .. } in &letters {
            let (message, group) = (&letter.message, letter.group.name());
            say(format_args!("{id}\t{}\t{group}\t{}\t{}\t{}", letter.at, message.event_type, message.correlation, letter.reason));
        }
        let Some(last) = letters.last() else { return Ok(()) };
        after = Some(last.id);
    }
}

async fn show(commerce: &Commerce, id: DeadLetterId) -> Result<(), Failure> {
    let letter = commerce.queries().dead_letter(id).await.map_err(failed)?;
    let DeadLetter { letter, replayed_at, .. } = letter.ok_or_else(|| Failure::Bad(format!("dead letter {id} does not exist")))?;
    let (message, source) = (&letter.message, letter.source);
    say(format_args!("id           {id}"));
    say(format_args!("group        {}", letter.group.name()));
    say(format_args!("put aside    {}", letter.at));
    if let Some(at) = replayed_at {
        say(format_args!("replayed     {at}"));
    }
    say(format_args!("reason       {}", letter.reason));
    say(format_args!("attempts     {}", letter.attempts));
    say(format_args!("found at     {} {}:{}", source.topic.name(), source.partition, source.offset));
    say(format_args!("event        {} {} version {}", message.id, message.event_type, message.version));
    say(format_args!("aggregate    {} {}", message.aggregate_type, message.aggregate_id));
    say(format_args!("occurred at  {}", message.occurred_at));
    say(format_args!("correlation  {}", message.correlation));
    say(format_args!("payload      {}", message.payload));
    Ok(())
}

async fn replay(commerce: &Commerce, id: DeadLetterId) -> Result<(), Failure> {
    if !commerce.replay_dead_letter(id).await.map_err(|error| failed(error.as_ref()))? {
        return Err(Failure::Bad(format!("dead letter {id} does not exist, or was replayed already")));
    }
    say(format_args!("dead letter {id} goes to its group again"));
    Ok(())
}

async fn replay_all(commerce: &Commerce) -> Result<(), Failure> {
    let mut count = 0;
    let mut after = None;
    loop {
        let letters = page(commerce, after).await?;
        for letter in &letters {
            let replayed = commerce.replay_dead_letter(letter.id).await.map_err(|error| failed(error.as_ref()))?;
            count += u64::from(replayed);
        }
        let Some(last) = letters.last() else { break };
        after = Some(last.id);
    }
    say(format_args!("{count} dead letters go to their groups again"));
    Ok(())
}

async fn page(commerce: &Commerce, after: Option<DeadLetterId>) -> Result<Vec<DeadLetter>, Failure> {
    commerce.queries().dead_letters(after, PageLimit::default()).await.map_err(failed)
}

fn letter_id(id: i64) -> Result<DeadLetterId, Failure> {
    DeadLetterId::new(id).map_err(|invalid| Failure::Usage(invalid.to_string()))
}

fn failed(error: impl std::borrow::Borrow<StoreError>) -> Failure {
    Failure::missing("cannot read the database", error.borrow())
}
