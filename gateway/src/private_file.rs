//! Files that only the server's own user may read: the admin token, the secret behind resume tokens.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// More than any secret of ours needs: a file that is longer is something else.
const LARGEST: u64 = 4096;

/// Why a private file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PrivateFileError {
    /// The system said no.
    #[error("{}: {problem}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        problem: io::Error,
    },
    /// Others can read it.
    #[error("{path} can be read by others (mode {mode:o}); run `chmod 600 {path}`, and delete it instead if it may have been read", path = path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It holds something else.
    #[error("{path} does not hold {wanted}; delete it to have a new one made", path = path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// What it should hold.
        wanted: &'static str,
    },
}

/// What a private file holds.
#[derive(Debug)]
pub struct PrivateFile {
    /// Its text without the white space around it.
    pub text: String,
    /// Whether it was made just now.
    pub created: bool,
}

/// Reads the file; makes it first, with 32 random bytes in base64url, if there is none.
///
/// # Errors
/// If it can't be read or made, or if others may read it.
pub fn read_or_create(path: &Path) -> Result<PrivateFile, PrivateFileError> {
    match read(path) {
        Err(PrivateFileError::Io { problem, .. }) if problem.kind() == io::ErrorKind::NotFound => {
            let created = create(path).map_err(|problem| PrivateFileError::Io { path: path.to_owned(), problem })?;
            Ok(PrivateFile { text: read(path)?, created })
        }
        text => Ok(PrivateFile { text: text?, created: false }),
    }
}

/// Reads the file's text without the white space around it.
///
/// # Errors
/// If it can't be read, or if others may read it.
pub fn read(path: &Path) -> Result<String, PrivateFileError> {
    let failed = |problem| PrivateFileError::Io { path: path.to_owned(), problem };
    let file = File::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if !about.is_file() || about.len() > LARGEST {
        return Err(PrivateFileError::Content { path: path.to_owned(), wanted: "a secret" });
    }
    let mode = about.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(PrivateFileError::Exposed { path: path.to_owned(), mode });
    }
    let mut text = String::new();
    file.take(LARGEST).read_to_string(&mut text).map_err(failed)?;
    Ok(text.trim().to_owned())
}

/// The 32 bytes in the file; makes it first if there is none.
///
/// # Errors
/// As [`read_or_create`], or if the file holds something else.
pub fn secret(path: &Path) -> Result<[u8; 32], PrivateFileError> {
    let text = read_or_create(path)?.text;
    URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| PrivateFileError::Content { path: path.to_owned(), wanted: "32 bytes in base64url" })
}

/// Makes a directory for its owner only, and those above it, where they are missing.
///
/// # Errors
/// What the system says.
pub fn directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes the file whole or not at all. False if another process was faster: then its file stands.
fn create(path: &Path) -> io::Result<bool> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    directory(parent)?;

    let mut random = [0; 32];
    getrandom::fill(&mut random)?;
    let draft = parent.join(format!(".{}.draft", URL_SAFE_NO_PAD.encode(&random[..9])));
    getrandom::fill(&mut random)?;

    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).and_then(|mut file| {
        writeln!(file, "{}", URL_SAFE_NO_PAD.encode(random))?;
        file.sync_all()
    });
    // A link, unlike a rename, never replaces a file that is there.
    let linked = written.and_then(|()| fs::hard_link(&draft, path));
    let cleared = fs::remove_file(&draft);
    match linked {
        Ok(()) => {
            cleared?;
            File::open(parent)?.sync_all()?;
            Ok(true)
        }
        Err(problem) if problem.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(problem) => Err(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_missing_file_is_made_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data/deep/secret");
        let made = read_or_create(&path).unwrap();
        assert!(made.created);
        assert_eq!(URL_SAFE_NO_PAD.decode(&made.text).unwrap().len(), 32);
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "the draft is gone");
    }

    #[test]
    fn a_file_that_is_there_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        let first = secret(&path).unwrap();
        assert!(!read_or_create(&path).unwrap().created);
        assert!(!create(&path).unwrap(), "a slower process keeps the other's file");
        assert_eq!(secret(&path).unwrap(), first);
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        secret(&path).unwrap();
        for wide in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(wide)).unwrap();
            let told = read_or_create(&path).unwrap_err().to_string();
            assert!(told.contains(&format!("mode {wide:o}")) && told.contains("chmod 600"), "{told}");
        }
    }

    #[test]
    fn a_secret_is_32_bytes_or_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
        file.write_all(b"hunter2\n").unwrap();
        assert!(secret(&path).unwrap_err().to_string().contains("32 bytes"));
    }
}
