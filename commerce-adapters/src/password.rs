//! Argon2id password hashes.

use argon2::password_hash::phc::{self, Output, ParamsString, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use async_trait::async_trait;
use commerce_core::user::{Password, PasswordError, PasswordHash, PasswordHasher};
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const WAIT: Duration = Duration::from_secs(5);
const OUTPUT_BYTES: usize = 32;
/// Room for more than the 32 MiB from which on the C library always asks the system for pages and gives them back at once. Of smaller pieces
/// it keeps some for later, so that a few log-ins would leave a server twice as large. Room that is not used takes no memory.
const ROOM_BLOCKS: usize = 33 * 1024;

/// Makes and checks argon2id hashes with the parameters OWASP recommends: 19 MiB, two passes, one lane.
///
/// At most as many hashes are computed at once as the machine has cores, each on a thread that may block. Who would wait for longer than
/// five seconds is turned away, so that a flood of log-ins does not queue without end.
pub struct Argon2Hasher {
    argon2: Arc<Argon2<'static>>,
    permits: Arc<Semaphore>,
    dummy: PasswordHash,
    wait: Duration,
}

impl Argon2Hasher {
    /// Prepares the hasher. It computes one hash, for checking the passwords of users that do not exist.
    ///
    /// # Errors
    /// [`PasswordError::Unavailable`] if the machine cannot compute hashes.
    pub fn new() -> Result<Self, PasswordError> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| PasswordError::Unavailable)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let dummy = hash(&argon2, "nobody has this password")?;
        let permits = Arc::new(Semaphore::new(available_parallelism().map_or(1, Into::into)));
        Ok(Self { argon2: Arc::new(argon2), permits, dummy, wait: WAIT })
    }

    async fn compute<T: Send + 'static>(&self, work: impl FnOnce(&Argon2) -> T + Send + 'static) -> Result<T, PasswordError> {
        let waited = timeout(self.wait, Arc::clone(&self.permits).acquire_owned()).await;
        let permit = waited.map_err(|_| PasswordError::Unavailable)?.map_err(|_| PasswordError::Unavailable)?;
        let argon2 = Arc::clone(&self.argon2);
        // The permit moves into the thread: a caller that gives up does not let another computation begin beside this one.
        let computed = spawn_blocking(move || {
            let value = work(&argon2);
            drop(permit);
            value
        });
        computed.await.map_err(|_| PasswordError::Unavailable)
    }
}

fn hash(argon2: &Argon2, clear: &str) -> Result<PasswordHash, PasswordError> {
    let salt = Salt::generate();
    let hash = phc::PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(argon2.params()).map_err(|_| PasswordError::Unavailable)?,
        salt: Some(salt),
        hash: Some(digest(argon2, clear, &salt, OUTPUT_BYTES)?),
    };
    Ok(PasswordHash::new(hash.to_string()))
}

/// Compares in constant time; with the parameters of the hash, whatever they were when it was made.
fn verify(clear: &str, hash: &PasswordHash) -> Result<bool, PasswordError> {
    let hash = phc::PasswordHash::new(hash.expose()).map_err(|_| PasswordError::Unavailable)?;
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).map_err(|_| PasswordError::Unavailable)?;
    let params = Params::try_from(&hash).map_err(|_| PasswordError::Unavailable)?;
    let (Some(salt), Some(expected)) = (hash.salt, hash.hash) else { return Err(PasswordError::Unavailable) };
    let argon2 = Argon2::new(algorithm, Version::V0x13, params);
    Ok(digest(&argon2, clear, &salt, expected.len())? == expected)
}

fn digest(argon2: &Argon2, clear: &str, salt: &Salt, bytes: usize) -> Result<Output, PasswordError> {
    let blocks = argon2.params().block_count();
    let mut memory = Vec::with_capacity(blocks.max(ROOM_BLOCKS));
    memory.resize(blocks, Block::new());
    let mut output = vec![0; bytes];
    let computed = argon2.hash_password_into_with_memory(clear.as_bytes(), salt, &mut output, &mut memory);
    computed.ok().and_then(|()| Output::new(&output).ok()).ok_or(PasswordError::Unavailable)
}

#[async_trait]
impl PasswordHasher for Argon2Hasher {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, PasswordError> {
        let password = password.clone();
        self.compute(move |argon2| hash(argon2, password.expose())).await?
    }

    async fn verify(&self, password: &Password, hash: Option<&PasswordHash>) -> Result<bool, PasswordError> {
        let (password, known) = (password.clone(), hash.is_some());
        let hash = hash.unwrap_or(&self.dummy).clone();
        let matches = self.compute(move |_| verify(password.expose(), &hash));
        Ok(matches.await?? && known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::parse(text).unwrap()
    }

    #[tokio::test]
    async fn a_password_belongs_to_its_hash_only() {
        let hasher = Argon2Hasher::new().unwrap();
        let hash = hasher.hash(&password("correct horse")).await.unwrap();
        assert!(hash.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(hasher.verify(&password("correct horse"), Some(&hash)).await, Ok(true));
        assert_eq!(hasher.verify(&password("battery staple"), Some(&hash)).await, Ok(false));
        assert_ne!(hasher.hash(&password("correct horse")).await.unwrap(), hash, "every hash has a salt of its own");
    }

    #[tokio::test]
    async fn nobody_is_known_by_the_password_of_the_dummy() {
        let hasher = Argon2Hasher::new().unwrap();
        assert_eq!(hasher.verify(&password("nobody has this password"), None).await, Ok(false));
    }

    #[tokio::test]
    async fn a_hash_that_cannot_be_read_is_no_mismatch() {
        let hasher = Argon2Hasher::new().unwrap();
        let broken = PasswordHash::new("plain".into());
        assert_eq!(hasher.verify(&password("12345"), Some(&broken)).await, Err(PasswordError::Unavailable));
    }

    #[tokio::test]
    async fn who_waits_too_long_is_turned_away() {
        let hasher = Argon2Hasher { wait: Duration::from_millis(1), ..Argon2Hasher::new().unwrap() };
        let cores = u32::try_from(hasher.permits.available_permits()).unwrap();
        let _busy = hasher.permits.acquire_many(cores).await.unwrap();
        assert_eq!(hasher.hash(&password("12345")).await, Err(PasswordError::Unavailable));
    }
}
