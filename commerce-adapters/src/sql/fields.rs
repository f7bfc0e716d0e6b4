use super::Backend;
use commerce_core::store::StoreError;
use commerce_core::{ErrorCode, Money, Timestamp};
use sqlx::{Database, Decode, Row, Type};
use std::fmt::Display;

/// Reads the columns of a row from left to right, as domain values.
pub(crate) struct Fields<'r, DB: Backend> {
    row: &'r <DB as Database>::Row,
    column: usize,
}

impl<'r, DB: Backend> Fields<'r, DB> {
    /// Begins at the first column.
    pub(crate) fn of(row: &'r DB::Row) -> Self {
        Self { row, column: 0 }
    }

    fn next<T: Decode<'r, DB> + Type<DB>>(&mut self) -> Result<T, StoreError> {
        let value = self.row.try_get(self.column).map_err(DB::error)?;
        self.column += 1;
        Ok(value)
    }

    /// A whole number.
    pub(crate) fn int(&mut self) -> Result<i64, StoreError> {
        self.next()
    }

    /// A whole number, or NULL.
    pub(crate) fn opt_int(&mut self) -> Result<Option<i64>, StoreError> {
        self.next()
    }

    /// A text.
    pub(crate) fn text(&mut self) -> Result<String, StoreError> {
        self.next()
    }

    /// A text, or NULL.
    pub(crate) fn opt_text(&mut self) -> Result<Option<String>, StoreError> {
        self.next()
    }

    /// Bytes.
    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        self.next()
    }

    /// A whole number that has to be a valid id, count or the like.
    pub(crate) fn whole<T: TryFrom<i64, Error: Display>>(&mut self) -> Result<T, StoreError> {
        T::try_from(self.int()?).map_err(corrupt)
    }

    /// As [`whole`](Self::whole), or NULL.
    pub(crate) fn opt_whole<T: TryFrom<i64, Error: Display>>(&mut self) -> Result<Option<T>, StoreError> {
        self.opt_int()?.map(T::try_from).transpose().map_err(corrupt)
    }

    /// An amount.
    pub(crate) fn money(&mut self) -> Result<Money, StoreError> {
        self.whole()
    }

    /// An instant.
    pub(crate) fn at(&mut self) -> Result<Timestamp, StoreError> {
        self.int().map(Timestamp::from_millis)
    }

    /// An instant, or NULL.
    pub(crate) fn opt_at(&mut self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.opt_int()?.map(Timestamp::from_millis))
    }

    /// A word out of a known list.
    pub(crate) fn word<T>(&mut self, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreError> {
        let text = self.text()?;
        parse(&text).ok_or_else(|| unknown(&text))
    }

    /// As [`word`](Self::word), or NULL.
    pub(crate) fn opt_word<T>(&mut self, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, StoreError> {
        let text = self.opt_text()?;
        text.map(|text| parse(&text).ok_or_else(|| unknown(&text))).transpose()
    }

    /// Why a step failed, or NULL.
    pub(crate) fn opt_code(&mut self) -> Result<Option<ErrorCode>, StoreError> {
        self.opt_word(ErrorCode::parse)
    }

    /// As [`parsed`](Self::parsed), of a column that is compared byte by byte: not every database has texts that are.
    pub(crate) fn exact<T, E: Display>(&mut self, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<T, StoreError> {
        parse(&String::from_utf8(self.bytes()?).map_err(corrupt)?).map_err(corrupt)
    }

    /// A text that has to follow the rules of its type.
    pub(crate) fn parsed<T, E: Display>(&mut self, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<T, StoreError> {
        parse(&self.text()?).map_err(corrupt)
    }
}

/// Stored data that breaks a rule of the domain.
pub(crate) fn corrupt(broken: impl Display) -> StoreError {
    StoreError::Corrupt(broken.to_string())
}

fn unknown(word: &str) -> StoreError {
    corrupt(format_args!("unknown word {word:?}"))
}

/// Reads a row of one column, a whole number.
pub(crate) fn read_whole<DB: Backend, T: TryFrom<i64, Error: Display>>(row: &mut Fields<'_, DB>) -> Result<T, StoreError> {
    row.whole()
}

/// Reads a row of one column, a text.
pub(crate) fn read_text<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<String, StoreError> {
    row.text()
}
