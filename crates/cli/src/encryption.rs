//! The keys that seal secrets: from the environment, from a file, or kept by the data directory.

use std::collections::BTreeSet;

use inlet_model::Entropy;
use inlet_model::secret::{Vault, VaultKey, VaultKeyId};
use inlet_store::sqlite::{DataDir, KeyFileError, read_key_file};
use inlet_store::{Catalog, StoreResult};

use crate::args::EncryptionArgs;
use crate::errors::CommandError;

/// All keys there are for a data directory.
#[derive(Debug)]
pub(crate) struct KeyRing {
    /// Those that whoever runs the server gives; the first seals.
    pub(crate) given: Vec<VaultKey>,
    /// Those that the directory keeps; the first seals if none is given.
    pub(crate) kept: Vec<VaultKey>,
}

impl KeyRing {
    /// Reads all of them.
    pub(crate) fn read(dir: &DataDir, args: &EncryptionArgs) -> Result<Self, CommandError> {
        let given = Self::given(args)?;
        let kept = dir.encryption_keys().map_err(|error| refused(error, "data_dir.unusable"))?;
        warn_of_open_file(dir);
        Ok(Self { given, kept })
    }

    /// Reads those that whoever runs the server gives.
    pub(crate) fn given(args: &EncryptionArgs) -> Result<Vec<VaultKey>, CommandError> {
        match (&args.encryption_key, &args.encryption_key_file) {
            (Some(text), _) => VaultKey::parse_ring(text).map_err(|error| {
                let message = "INLET_ENCRYPTION_KEY holds no encryption key";
                CommandError::input("input.encryption_key", message).because(error).into()
            }),
            (None, Some(path)) => {
                read_key_file(path.clone()).map_err(|error| refused(error, "input.encryption_key"))
            }
            (None, None) => Ok(Vec::new()),
        }
    }

    /// The vault of these keys. If there are none, one is made, and kept by the directory.
    pub(crate) fn vault(self, dir: &DataDir, entropy: &dyn Entropy) -> Result<Vault, CommandError> {
        let mut keys = self.given.into_iter().chain(self.kept);
        if let Some(current) = keys.next() {
            return Ok(Vault::new(current, keys));
        }
        let key = VaultKey::generate(entropy);
        keep(dir, std::slice::from_ref(&key))?;
        Ok(Vault::new(key, []))
    }
}

/// A key that others may read seals nothing.
fn warn_of_open_file(dir: &DataDir) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(dir.key_path()).map_or(0, |metadata| metadata.permissions().mode());
        if mode & 0o077 != 0 {
            tracing::warn!(
                path = %dir.key_path().display(),
                "others may read the encryption key: take that right from them with `chmod 600`"
            );
        }
    }
}

/// Lets the directory keep these keys and no others.
pub(crate) fn keep(dir: &DataDir, keys: &[VaultKey]) -> Result<(), CommandError> {
    dir.keep_encryption_keys(keys).map_err(|error| refused(error, "data_dir.unusable"))
}

fn refused(error: KeyFileError, code: &str) -> CommandError {
    let complaint = match &error {
        KeyFileError::Unusable { .. } => CommandError::failure(code, "the encryption keys cannot be used"),
        KeyFileError::NoKeys { .. } => CommandError::input(code, "the encryption keys cannot be used"),
    };
    complaint.because(error).into()
}

/// Says at start which keys are missing, so that nobody learns it from the first sync that fails.
pub(crate) async fn warn_of_lost_keys(catalog: &dyn Catalog, vault: &Vault) -> StoreResult<()> {
    let (lost, holders) = lost_keys(catalog, vault).await?;
    for key in lost {
        tracing::warn!(
            encryption_key = %key,
            holders,
            "secrets of connectors and webhooks cannot be read, as their encryption key is not here: bring it back, or give them anew"
        );
    }
    Ok(())
}

/// The keys that secrets are sealed under and the vault lacks, and how many connectors and webhooks have such secrets.
pub(crate) async fn lost_keys(
    catalog: &dyn Catalog,
    vault: &Vault,
) -> StoreResult<(BTreeSet<VaultKeyId>, usize)> {
    const AT_ONCE: usize = 200;
    let (mut lost, mut holders, mut after) = (BTreeSet::new(), 0_usize, None);
    loop {
        let page = catalog.secret_list(after, AT_ONCE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.holder);
        for held in &page {
            let missing: Vec<_> =
                held.secrets.values().map(|sealed| sealed.key()).filter(|key| !vault.has(*key)).collect();
            holders += usize::from(!missing.is_empty());
            lost.extend(missing);
        }
    }
    Ok((lost, holders))
}
