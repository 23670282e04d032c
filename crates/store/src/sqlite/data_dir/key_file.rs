//! The encryption keys that a data directory keeps: one a line, the one in use first.
//!
//! The file is only ever replaced as a whole, by a rename, after what replaces it is on disk: a crash leaves the one or the
//! other.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use inlet_model::secret::{VaultKey, VaultKeyError};

use super::DataDir;

const KEY_FILE: &str = "encryption.key";
const NEW_KEY_FILE: &str = "encryption.key.new";

/// No more is read: a ring of a hundred keys is far beyond any need.
const MAX_BYTES: u64 = 8192;

/// What is wrong with the file of keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read or written.
    #[error("the file {} cannot be used", .path.display())]
    Unusable {
        /// Where.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It holds something else.
    #[error("the file {} does not hold encryption keys", .path.display())]
    NoKeys {
        /// Where.
        path: PathBuf,
        /// What is wrong with what it holds.
        #[source]
        source: VaultKeyError,
    },
}

impl DataDir {
    /// The file of keys.
    #[must_use]
    pub fn key_path(&self) -> PathBuf {
        self.path.join(KEY_FILE)
    }

    /// The keys that the directory keeps, the one in use first; none if there is no file.
    pub fn encryption_keys(&self) -> Result<Vec<VaultKey>, KeyFileError> {
        read_key_file(self.key_path()).or_else(|error| match error {
            KeyFileError::Unusable { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Ok(Vec::new())
            }
            other => Err(other),
        })
    }

    /// Keeps these keys and no others, readable for the owner alone. Durable when it returns.
    pub fn keep_encryption_keys(&self, keys: &[VaultKey]) -> Result<(), KeyFileError> {
        let path = self.key_path();
        self.replace_keys(keys).map_err(|source| KeyFileError::Unusable { path, source })
    }

    fn replace_keys(&self, keys: &[VaultKey]) -> io::Result<()> {
        let new = self.path.join(NEW_KEY_FILE);
        // One that a crash has left: its rights may be any.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&new)?;
        for key in keys {
            writeln!(file, "{}", key.to_text())?;
        }
        file.sync_all()?;
        fs::rename(&new, self.key_path())?;
        File::open(&self.path)?.sync_all()
    }
}

/// The keys in a file of whoever runs the server: as in a data directory's own.
pub fn read_key_file(path: PathBuf) -> Result<Vec<VaultKey>, KeyFileError> {
    let read = || {
        let mut text = String::new();
        io::Read::read_to_string(&mut io::Read::take(File::open(&path)?, MAX_BYTES), &mut text)?;
        Ok(text)
    };
    match read() {
        Ok(text) => VaultKey::parse_ring(&text).map_err(|source| KeyFileError::NoKeys { path, source }),
        Err(source) => Err(KeyFileError::Unusable { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use inlet_model::SeededEntropy;

    use super::*;

    fn key(seed: u64) -> VaultKey {
        VaultKey::generate(&SeededEntropy::new(seed * 100))
    }

    #[test]
    fn keys_are_kept_in_their_order_for_the_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let dir = DataDir::lock(&directory.path().join("data")).unwrap();
        assert_eq!(dir.encryption_keys().unwrap(), []);
        fs::write(dir.path().join(NEW_KEY_FILE), "left by a crash").unwrap();
        for keys in [vec![key(1)], vec![key(2), key(1)], vec![key(2)]] {
            dir.keep_encryption_keys(&keys).unwrap();
            assert_eq!(dir.encryption_keys().unwrap(), keys);
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                let mode = fs::metadata(dir.key_path()).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600);
            }
        }
        assert!(!dir.path().join(NEW_KEY_FILE).exists());
    }

    #[test]
    fn a_file_that_holds_no_keys_is_refused_and_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let dir = DataDir::lock(&directory.path().join("data")).unwrap();
        for bad in ["", "\n# nothing\n", "swordfish", &"0".repeat(63)] {
            fs::write(dir.key_path(), bad).unwrap();
            assert!(matches!(dir.encryption_keys(), Err(KeyFileError::NoKeys { .. })), "{bad}");
            assert_eq!(fs::read_to_string(dir.key_path()).unwrap(), bad);
        }
        fs::write(dir.key_path(), format!("# ours\r\n{}\r\n", key(1).to_text())).unwrap();
        assert_eq!(dir.encryption_keys().unwrap(), [key(1)]);
    }
}
