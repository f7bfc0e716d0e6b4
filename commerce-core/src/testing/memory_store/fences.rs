use super::State;
use crate::lock::{Fence, FenceRepository};
use crate::store::StoreError;
use async_trait::async_trait;

#[async_trait]
impl FenceRepository for State {
    async fn claim(&mut self, fences: &[Fence]) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        for Fence { lock, number } in fences {
            let last = self.fences.entry(lock.clone()).or_default();
            if *last > *number {
                return Err(StoreError::Fenced { lock: lock.clone() });
            }
            *last = *number;
        }
        Ok(())
    }
}
