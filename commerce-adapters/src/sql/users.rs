use super::fields::read_text;
use super::statements::{Guard, Update, by_key, fetch, insert, push_texts, select_in, update};
use super::{Backend, Fields, SqlUnitOfWork, read_whole};
use async_trait::async_trait;
use commerce_core::UserId;
use commerce_core::store::StoreError;
use commerce_core::user::{Email, PasswordHash, Role, User, UserName, UserRepository};
use sqlx::QueryBuilder;

pub(super) const COLUMNS: &str = "id, email, name, password_hash, role, created_at, updated_at";
const RENAME: Update = Update { table: "users", key: "id", columns: &["name", "updated_at"], guard: Guard::Exists };

/// Reads [`COLUMNS`].
pub(super) fn read<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<User, StoreError> {
    Ok(User {
        id: row.whole()?,
        email: row.parsed(Email::parse)?,
        name: row.parsed(UserName::parse)?,
        password_hash: PasswordHash::new(row.text()?),
        role: row.word(Role::parse)?,
        created_at: row.at()?,
        updated_at: row.at()?,
    })
}

#[async_trait]
impl<DB: Backend> UserRepository for SqlUnitOfWork<DB> {
    async fn lock(&mut self, ids: &[UserId]) -> Result<Vec<User>, StoreError> {
        let (head, tail) =
            (format!("SELECT {COLUMNS} FROM users{} WHERE id IN", by_key::<DB>()), format!(" ORDER BY id{}", self.for_update()));
        select_in(self.link(), &head, ids.iter().map(|id| id.get()), &tail, read).await
    }

    async fn existing(&mut self, ids: &[UserId]) -> Result<Vec<UserId>, StoreError> {
        let (mut existing, unknown) = self.lasting.users.look_up(ids).await;
        let unknown = unknown.iter().map(|id| id.get());
        let found: Vec<UserId> = select_in(self.link(), "SELECT id FROM users WHERE id IN", unknown, " ORDER BY id", read_whole).await?;
        self.learned.users.extend(found.iter().map(|id| (*id, *id)));
        existing.extend(found);
        existing.sort_unstable();
        Ok(existing)
    }

    async fn taken(&mut self, emails: &[Email]) -> Result<Vec<String>, StoreError> {
        let keys: Vec<String> = emails.iter().map(Email::unique_key).collect();
        let mut taken = Vec::new();
        for piece in keys.chunks(256) {
            let mut query = QueryBuilder::<DB>::new("SELECT email_key FROM users WHERE email_key IN");
            push_texts(&mut query, piece);
            taken.append(&mut fetch(self.link(), query, read_text).await?);
        }
        Ok(taken)
    }

    async fn insert(&mut self, users: &[User]) -> Result<(), StoreError> {
        let columns = "id, email, email_key, name, password_hash, role, created_at, updated_at";
        let added = insert(self.link(), "users", columns, users, |mut row, user| {
            row.push_bind(user.id.get());
            row.push_bind(user.email.as_str().to_owned());
            row.push_bind(user.email.unique_key());
            row.push_bind(user.name.as_str().to_owned());
            row.push_bind(user.password_hash.expose().to_owned());
            row.push_bind(user.role.as_str());
            row.push_bind(user.created_at.millis());
            row.push_bind(user.updated_at.millis());
        });
        added.await.map(drop)
    }

    async fn update(&mut self, users: &[User]) -> Result<(), StoreError> {
        let updated = update(self.link(), &RENAME, users, |user| {
            [user.id.get().into(), user.name.as_str().to_owned().into(), user.updated_at.millis().into()]
        });
        updated.await
    }
}
