//! What the shops that are measured are made of.

use super::knob::words;
use crate::place::Place;

#[cfg(feature = "distributed")]
use crate::premises::{Addresses, Premises};

/// What a shop is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetUp {
    /// A file, and one process that does everything.
    OneFile,
    /// MySQL, Redis and Kafka.
    Mysql,
    /// The same with MariaDB instead of MySQL.
    Mariadb,
}

impl SetUp {
    const ALL: [Self; 3] = [Self::OneFile, Self::Mysql, Self::Mariadb];

    /// How it is called on a command line.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::OneFile => "file",
            Self::Mysql => "mysql",
            Self::Mariadb => "mariadb",
        }
    }

    /// What it is called in a table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::OneFile => "one file",
            Self::Mysql => "MySQL, Redis, Kafka",
            Self::Mariadb => "MariaDB, Redis, Kafka",
        }
    }

    /// Those that the knob `ON` names; unless it is there, all that are within reach, and it is said which are not.
    pub(crate) fn asked_for() -> Result<Vec<Self>, String> {
        let words = words("ON");
        let Some(words) = words else {
            let (within, out) = Self::ALL.into_iter().partition::<Vec<_>, _>(|set_up| set_up.is_out_of_reach().is_none());
            for set_up in out {
                println!("left out: {}, for {}", set_up.name(), set_up.is_out_of_reach().unwrap_or_default());
            }
            return Ok(within);
        };
        let named = words.iter().map(|word| {
            let set_up = Self::ALL.into_iter().find(|set_up| set_up.word() == word);
            let set_up = set_up.ok_or_else(|| format!("ON names some of {}, not {word:?}", Self::ALL.map(Self::word).join(", ")))?;
            set_up.is_out_of_reach().map_or(Ok(set_up), |why| Err(format!("{} is out of reach: {why}", set_up.name())))
        });
        named.collect()
    }

    /// Why no shop can be made of this here; `None` if it can.
    fn is_out_of_reach(self) -> Option<String> {
        match self {
            Self::OneFile => None,
            #[cfg(not(feature = "distributed"))]
            Self::Mysql | Self::Mariadb => Some("the feature `distributed` is off".to_owned()),
            #[cfg(feature = "distributed")]
            Self::Mysql => Addresses::missing(),
            #[cfg(feature = "distributed")]
            Self::Mariadb => Addresses::missing_with_mariadb(),
        }
    }

    /// A place where no shop has been.
    #[cfg_attr(not(feature = "distributed"), expect(clippy::unused_async, reason = "what is on servers takes a while"))]
    pub(crate) async fn place(self) -> Place {
        match self {
            Self::OneFile => Place::file(),
            #[cfg(feature = "distributed")]
            Self::Mysql => Place::Servers(Premises::open(Addresses::given()).await),
            #[cfg(feature = "distributed")]
            Self::Mariadb => Place::Servers(Premises::open(Addresses::given_with_mariadb()).await),
            #[cfg(not(feature = "distributed"))]
            Self::Mysql | Self::Mariadb => unreachable!("it is out of reach"),
        }
    }
}
