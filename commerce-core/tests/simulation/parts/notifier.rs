use super::{Call, Plug};
use async_trait::async_trait;
use commerce_core::notify::{Notification, Notifier, NotifyError, Subject, Watch};
use commerce_core::testing::MemoryNotifier;
use std::sync::Arc;

/// The notifier as one process sees it.
pub(crate) struct PluggedNotifier {
    pub(crate) inner: MemoryNotifier,
    pub(crate) plug: Arc<Plug>,
}

#[async_trait]
impl Notifier for PluggedNotifier {
    async fn publish(&self, notifications: &[Notification]) -> Result<(), NotifyError> {
        self.plug.reach(Call::Notify, self.inner.publish(notifications)).await
    }

    async fn watch(&self, subject: Subject) -> Result<Box<dyn Watch>, NotifyError> {
        self.plug.reach(Call::Notify, self.inner.watch(subject)).await
    }
}
