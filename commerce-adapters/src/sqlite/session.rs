use super::commits::Commits;
use super::writer::Writer;
use crate::sql::{Link, Session};
use async_trait::async_trait;
use commerce_core::messaging::OutboxRow;
use commerce_core::store::StoreError;
use sqlx::Sqlite;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::OwnedMutexGuard;

/// The writer while it is in a transaction.
pub(crate) struct SqliteSession {
    /// Taken when the session is dropped, and not before.
    writer: Option<OwnedMutexGuard<Writer>>,
    commits: Arc<Commits>,
}

impl SqliteSession {
    /// Begins a transaction.
    pub(super) async fn begin(mut writer: OwnedMutexGuard<Writer>, commits: Arc<Commits>) -> Result<Self, StoreError> {
        writer.begin().await?;
        Ok(Self { writer: Some(writer), commits })
    }

    fn writer(&mut self) -> &mut Writer {
        self.writer.as_mut().expect("the writer is held until the session is dropped")
    }
}

#[async_trait]
impl Session<Sqlite> for SqliteSession {
    fn link(&mut self) -> &mut dyn Link<Sqlite> {
        self.writer().connection()
    }

    async fn commit(mut self, written: Vec<OutboxRow>) -> Result<(), StoreError> {
        self.writer().commit().await?;
        // Still with the writer in hand, so that events are announced in the order of their commits.
        self.commits.announce(written);
        Ok(())
    }
}

impl Drop for SqliteSession {
    /// Rolls back what was not committed, at once and with the writer in hand: other processes wait for the lock. Without a runtime the
    /// next transaction does it before it begins.
    fn drop(&mut self) {
        if let Some(mut writer) = self.writer.take().filter(|writer| writer.is_open())
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(async move {
                if let Err(error) = writer.settle().await {
                    tracing::warn!(%error, "cannot roll back");
                }
            });
        }
    }
}
