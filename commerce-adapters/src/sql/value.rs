use super::Backend;
use super::backend::Row;
#[cfg(feature = "mysql")]
use sqlx::QueryBuilder;

/// A value of a column, on its way into an UPDATE of many rows.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// A whole number, or NULL.
    Int(Option<i64>),
    /// A text, or NULL.
    Text(Option<String>),
    /// A word out of a known list.
    Word(&'static str),
}

impl Value {
    /// Binds it as the next value of a row.
    pub(crate) fn bind<DB: Backend>(self, row: &mut Row<'_, DB>) {
        match self {
            Self::Int(number) => row.push_bind(number),
            Self::Text(text) => row.push_bind(text),
            Self::Word(word) => row.push_bind(word),
        };
    }

    /// Binds it where the query stands.
    #[cfg(feature = "mysql")]
    pub(crate) fn push<DB: Backend>(self, query: &mut QueryBuilder<DB>) {
        match self {
            Self::Int(number) => query.push_bind(number),
            Self::Text(text) => query.push_bind(text),
            Self::Word(word) => query.push_bind(word),
        };
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(Some(number))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::from(i64::from(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Int(number)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<&'static str> for Value {
    fn from(word: &'static str) -> Self {
        Self::Word(word)
    }
}
