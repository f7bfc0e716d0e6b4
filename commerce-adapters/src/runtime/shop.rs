use super::set_up::{SetUp, needs_servers};
use super::{Failure, SharedArgs};
use crate::embedded::{EmbeddedParts, OpenError};
use crate::http::Dependency;
use crate::sqlite::{Migrate, SqliteOptions, SqliteStore};
use commerce_core::messaging::Group;
use commerce_core::store::GroupCommitLimits;
use commerce_core::{Parts, Settings};
use std::num::NonZeroU16;
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;

#[cfg(feature = "distributed")]
use super::servers;
#[cfg(feature = "distributed")]
use crate::distributed::DistributedParts;

/// How a process takes part in a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// As the one that handles the events of a shop in one file; such a file is made if there is none. On servers, as one of several.
    Alone,
    /// As the one that handles the events, unless somebody else has the file, which must exist. On servers, as one of several.
    AloneIfPossible,
    /// Beside whoever has the shop, for reads and single commands. Its file must exist.
    Beside,
}

/// Where a shop lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topology {
    /// In one file, and one process handles its events: this one.
    OneFileAlone,
    /// In one file, whose events are left to whoever handles them.
    OneFileBeside,
    /// On servers that several processes share.
    Servers,
}

/// A shop that is open, whatever it is made of.
pub struct OpenShop {
    held: Held,
    topology: Topology,
}

/// What is to be closed in the end.
enum Held {
    File(EmbeddedParts),
    #[cfg(feature = "distributed")]
    Servers(DistributedParts),
}

impl OpenShop {
    /// Opens the shop that the options name.
    ///
    /// # Errors
    /// [`Failure::Usage`] for options that cannot be, [`Failure::Missing`] if another process has the file, or a file or server is not to be had.
    pub async fn open(shared: &SharedArgs, presence: Presence) -> Result<Self, Failure> {
        Self::of(shared.set_up()?, shared, presence).await
    }

    /// Opens the shop of a set-up that the options name.
    pub(super) async fn of(set_up: SetUp, shared: &SharedArgs, presence: Presence) -> Result<Self, Failure> {
        match set_up {
            SetUp::OneFile(path) => Self::open_file(shared, &path, presence).await,
            #[cfg(feature = "distributed")]
            SetUp::Servers(options) => Ok(Self { held: Held::Servers(servers::open(&options).await?), topology: Topology::Servers }),
        }
    }

    async fn open_file(shared: &SharedArgs, path: &Path, presence: Presence) -> Result<Self, Failure> {
        let migrate = if presence == Presence::Alone { Migrate::Yes } else { Migrate::No };
        if migrate == Migrate::No && !path.exists() {
            let path = path.display();
            return Err(Failure::Missing(format!("there is no shop in {path}: run commerce-admin migrate first, or name another --store")));
        }
        let options = || sqlite_options(shared, path, migrate);
        let alone = match presence {
            Presence::Beside => None,
            Presence::Alone => Some(EmbeddedParts::open_alone(options()).await),
            Presence::AloneIfPossible => match EmbeddedParts::open_alone(options()).await {
                Err(OpenError::InUse(_)) => None,
                alone => Some(alone),
            },
        };
        let (opened, topology) = match alone {
            Some(alone) => (alone, Topology::OneFileAlone),
            None => (EmbeddedParts::open_beside(options()).await, Topology::OneFileBeside),
        };
        let parts = opened.map_err(|error| cannot_open(path, &error))?;
        Ok(Self { held: Held::File(parts), topology })
    }

    /// The parts, to open a [`Commerce`](commerce_core::Commerce) with.
    pub fn parts(&self) -> &Parts {
        match &self.held {
            Held::File(parts) => parts.parts(),
            #[cfg(feature = "distributed")]
            Held::Servers(parts) => parts.parts(),
        }
    }

    /// Where the shop lives, and whether anybody else may be at it.
    pub const fn topology(&self) -> Topology {
        self.topology
    }

    /// How the shop is to behave, as its options say and as its set-up asks for.
    pub fn settings(&self, shared: &SharedArgs) -> Settings {
        let batches_in_flight_max = match self.held {
            Held::File(_) => 1,
            #[cfg(feature = "distributed")]
            Held::Servers(_) => shared.transactions_at_once.unwrap_or(servers::TRANSACTIONS_AT_ONCE).get().into(),
        };
        let batch_commands_max = shared.commands_per_transaction.get().into();
        let group_commit = GroupCommitLimits { batch_commands_max, batches_in_flight_max, ..GroupCommitLimits::default() };
        Settings { calendar: shared.time_zone, group_commit, ..Settings::default() }
    }

    /// Refuses to count by the days of another time zone than the shop's boards do: they would be counted anew.
    ///
    /// # Errors
    /// [`Failure::Usage`] for another time zone, [`Failure::Missing`] if the boards cannot be read.
    pub async fn check_calendar(&self, shared: &SharedArgs) -> Result<(), Failure> {
        let counted = self.parts().board.calendar().await;
        let counted = counted.map_err(|error| Failure::missing("cannot read the boards of the ranking", &error))?;
        match counted {
            Some(counted) if counted != shared.time_zone => {
                let (counted, given) = (counted.name(), shared.time_zone.name());
                Err(Failure::Usage(format!(
                    "the ranking of this shop counts the days of {counted} and not of {given}: add --time-zone {counted}"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Waits until the process that has the file of a shop has handled all events that a group is to handle; `false` if it has not within `patience`.
    /// On servers there is nothing to wait for: whoever asks there reaches what the groups reach.
    ///
    /// # Errors
    /// [`Failure::Missing`] if the file cannot be read.
    pub async fn until_handled(&self, group: Group, patience: Duration) -> Result<bool, Failure> {
        match &self.held {
            Held::File(parts) => match timeout(patience, parts.until_handled(group)).await {
                Ok(handled) => handled.map(|()| true).map_err(|error| Failure::missing("cannot read the database", &error)),
                Err(_late) => Ok(false),
            },
            #[cfg(feature = "distributed")]
            Held::Servers(_) => Ok(true),
        }
    }

    /// What the shop needs beside its store, to tell operators whether it is there.
    pub fn dependencies(&self) -> Vec<Dependency> {
        match &self.held {
            Held::File(_) => Vec::new(),
            #[cfg(feature = "distributed")]
            Held::Servers(parts) => servers::dependencies(parts),
        }
    }

    /// Closes the shop.
    ///
    /// # Errors
    /// [`Failure::Missing`] if what was acknowledged could not be written.
    pub async fn close(self) -> Result<(), Failure> {
        match self.held {
            Held::File(parts) => parts.close().await.map_err(|error| Failure::missing("cannot close the database", &error)),
            #[cfg(feature = "distributed")]
            Held::Servers(parts) => parts
                .close()
                .await
                .map_err(|error| Failure::missing("cannot tell whether all events are published: they are again", &error)),
        }
    }
}

/// Brings the schema up to date.
///
/// # Errors
/// [`Failure::Usage`] for options that cannot be, [`Failure::Missing`] if the store cannot be opened or is newer than this program.
pub async fn migrate(shared: &SharedArgs) -> Result<(), Failure> {
    match shared.set_up()? {
        SetUp::OneFile(path) => {
            let migrated = SqliteStore::migrate(&sqlite_options(shared, &path, Migrate::Yes)).await;
            migrated.map_err(|error| cannot_open(&path, &OpenError::Store(error)))
        }
        #[cfg(feature = "distributed")]
        SetUp::Servers(options) => servers::migrate(&options).await,
    }
}

/// Makes the topics in Kafka that are missing; answers a line for each topic.
///
/// # Errors
/// [`Failure::Usage`] for a shop in one file, [`Failure::Missing`] if Kafka cannot be reached or refuses.
pub async fn create_topics(shared: &SharedArgs, partitions: NonZeroU16, replicas: NonZeroU16) -> Result<Vec<String>, Failure> {
    match shared.set_up()? {
        #[cfg(feature = "distributed")]
        SetUp::Servers(options) => servers::create_topics(&options, partitions, replicas).await,
        SetUp::OneFile(_) => Err(needs_servers(format_args!(
            "a shop in one file has no topics to be made with {partitions} partitions and {replicas} replicas"
        ))),
    }
}

fn sqlite_options(shared: &SharedArgs, path: &Path, migrate: Migrate) -> SqliteOptions {
    SqliteOptions { durability: shared.durability.into(), migrate, ..SqliteOptions::new(path) }
}

fn cannot_open(path: &Path, error: &OpenError) -> Failure {
    Failure::missing(format!("cannot open the shop in {}", path.display()), error)
}
