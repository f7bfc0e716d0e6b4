use super::State;
use crate::messaging::{DeadLetter, DeadLetterRepository, NewDeadLetter};
use crate::store::StoreError;
use crate::{DeadLetterId, Timestamp};
use async_trait::async_trait;

#[async_trait]
impl DeadLetterRepository for State {
    async fn insert(&mut self, letters: &[NewDeadLetter]) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        for letter in letters {
            let same = |other: &NewDeadLetter| other.group == letter.group && other.message.id == letter.message.id;
            if self.dead_letters.values().any(|other| other.replayed_at.is_none() && same(&other.letter)) {
                continue;
            }
            let id = self.next_id()?;
            self.dead_letters.insert(id, DeadLetter { id, letter: letter.clone(), replayed_at: None });
        }
        Ok(())
    }

    async fn lock(&mut self, id: DeadLetterId) -> Result<Option<DeadLetter>, StoreError> {
        Ok(self.dead_letters.get(&id).cloned())
    }

    async fn mark_replayed(&mut self, id: DeadLetterId, now: Timestamp) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        if let Some(letter) = self.dead_letters.get_mut(&id) {
            letter.replayed_at = Some(now);
        }
        Ok(())
    }
}
