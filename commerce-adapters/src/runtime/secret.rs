use super::Failure;
use crate::http::TokenSecret;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const SECRET_BYTES: usize = 32;
const SECRET_BYTES_MAX: u64 = 4_096;

/// Where the token key is.
pub(super) enum TokenKey {
    /// In a file that was named.
    In(PathBuf),
    /// In a file beside the database, which is made when it is missing.
    Beside(PathBuf),
}

impl TokenKey {
    /// Reads the key.
    pub(super) fn read(&self) -> Result<TokenSecret, Failure> {
        match self {
            Self::In(path) => read(path),
            Self::Beside(database) => {
                let path = beside(database);
                make(&path)?;
                read(&path)
            }
        }
    }
}

fn beside(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".key");
    path.into()
}

/// Makes a key that only its owner can read, unless there is one. It appears under its name only when it is complete.
fn make(path: &Path) -> Result<(), Failure> {
    if path.exists() {
        return Ok(());
    }
    let fail = |error: std::io::Error| Failure::missing(format!("cannot make the token key {}", path.display()), &error);
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let draft = PathBuf::from(draft);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft).map_err(fail)?;
    file.write_all(&rand::random::<[u8; SECRET_BYTES]>()).and_then(|()| file.sync_all()).map_err(fail)?;
    // A link fails if the name exists: of two processes that make a key at once, one wins and both read it.
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft).map_err(fail)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(fail(error)),
        _ => Ok(()),
    }
}

fn read(path: &Path) -> Result<TokenSecret, Failure> {
    let fail = |error: std::io::Error| Failure::missing(format!("cannot read the token key {}", path.display()), &error);
    let file = OpenOptions::new().read(true).open(path).map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    // Only of a file of its own: one of another user, such as a container's secret, could not be read otherwise.
    if metadata.permissions().mode() & 0o077 != 0 && metadata.uid() == rustix::process::geteuid().as_raw() {
        tracing::warn!(path = %path.display(), "others on this machine can read the token key: make it mode 600");
    }
    let mut key = Vec::new();
    file.take(SECRET_BYTES_MAX).read_to_end(&mut key).map_err(fail)?;
    TokenSecret::new(key).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("shop.db");
        let token_key = TokenKey::Beside(database.clone());
        token_key.read().unwrap();
        let key = std::fs::read(beside(&database)).unwrap();
        assert_eq!(key.len(), 32);
        token_key.read().unwrap();
        assert_eq!(std::fs::read(beside(&database)).unwrap(), key);
        let mode = std::fs::metadata(beside(&database)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_short_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("short");
        std::fs::write(&path, "too short").unwrap();
        assert_eq!(TokenKey::In(path).read().unwrap_err().code(), 2);
    }
}
