use std::ops::Deref;

/// A client whose end takes a while: it says good-bye to brokers that may not answer. It ends on a thread of its own, wherever it is dropped,
/// and keeps neither the runtime nor the process.
pub(super) struct EndsApart<T: Send + 'static>(Option<T>);

impl<T: Send + 'static> EndsApart<T> {
    pub(super) const fn new(client: T) -> Self {
        Self(Some(client))
    }

    /// Ends the client on a thread of its own, after `last`, and answers what `last` did once the client has ended.
    pub(super) async fn end<R: Send + 'static>(mut self, last: impl FnOnce(&T) -> R + Send + 'static) -> Option<R> {
        let client = self.0.take()?;
        let (ended, end) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let outcome = last(&client);
            drop(client);
            // Nobody may have waited for so long.
            let _gone = ended.send(outcome);
        });
        end.await.ok()
    }
}

impl<T: Send + 'static> Deref for EndsApart<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("it is taken by its end only")
    }
}

impl<T: Send + 'static> Drop for EndsApart<T> {
    fn drop(&mut self) {
        if let Some(client) = self.0.take() {
            std::thread::spawn(move || drop(client));
        }
    }
}
