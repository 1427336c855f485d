//! The files that the server reads and writes at its start: no other user may read its secrets, or replace its files.
//! Every path in an operator's options, and every path in the data directory, is opened through this module.
//!
//! | what | may belong to | others may |
//! | --- | --- | --- |
//! | directories and links on the way | root, this user | read; write too if the directory is sticky or mounted read-only, or as this user's own group |
//! | the data directory and those in it | root, this user | read |
//! | secrets, and a configuration with passwords | this user | nothing |
//! | the same, owned by root while this user is another | root | read, as the file's group (mode 440: how Kubernetes and systemd hand secrets over) |
//! | public keys, and a configuration without passwords | root, this user | read |
//! | what the server writes | this user | nothing; a directory that lets nobody else in protects a file that others could read |
//!
//! A file is opened first and then checked by its descriptor. Anything but a regular file is not opened: a FIFO would
//! block until it has a writer, and opening a device can have side effects.
//!
//! A hard link is another name of a file, with the same owner and mode: a user who creates one of our files elsewhere
//! gains no access. Only in a directory where others can create names (a sticky one) is it as dangerous as another
//! user's symbolic link: it leads to a file of ours that was not meant to be there. Linux refuses most of these links
//! (`fs.protected_hardlinks`), if configured to.

mod path;
mod weakness;

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use path::{OTHERS_READ, OTHERS_WRITE, Trust, kind};
pub use weakness::weakness;

/// Limit of a secret or key, in bytes; a longer file is something else.
const LARGEST: u64 = 4096;
/// Limit of a configuration, in bytes.
const LARGEST_CONFIGURATION: u64 = 1024 * 1024;

/// Why a file can't be used, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum PrivateFileError {
    /// The system returned an error.
    #[error("{}: {problem}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// The error.
        problem: io::Error,
    },
    /// Others can read it.
    #[error("{} can be read by others (mode {mode:o}); run `chmod {wanted} {}`, and delete it instead if it may have been read", path.display(), quoted(path))]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
        /// Those that it should have.
        wanted: &'static str,
    },
    /// Others can write to it, or create files in it.
    #[error("{}: others can write to it (mode {mode:o}); look whether what is there is yours, then run `chmod go-w {}`", path.display(), quoted(path))]
    Writable {
        /// Which file or directory.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It belongs to another user.
    #[error("{} belongs to another user (uid {owner}, this process has uid {us}); if what is there is yours, run `chown -h {us} {}`", path.display(), quoted(path))]
    Foreign {
        /// Which file or directory.
        path: PathBuf,
        /// The uid of its owner.
        owner: u32,
        /// The uid of this process.
        us: u32,
    },
    /// It is not a file, or not a directory.
    #[error("{} is {found}; it must be {wanted}", path.display())]
    Kind {
        /// What was named.
        path: PathBuf,
        /// What it is.
        found: &'static str,
        /// What it must be.
        wanted: &'static str,
    },
    /// It has other hard links, and is in a directory where another user could have created this one.
    #[error("{path} is one of {names} names (hard links) of a file, and others may put names into its directory; if what is there is yours, run `cp -p {quoted} {quoted}.new && mv {quoted}.new {quoted}`", path = path.display(), quoted = quoted(path))]
    Linked {
        /// Which file or link.
        path: PathBuf,
        /// The number of its hard links.
        names: u64,
    },
    /// It is longer than expected.
    #[error("{} has more than {most} bytes: it is something else", path.display())]
    Long {
        /// Which file.
        path: PathBuf,
        /// How many it may have.
        most: u64,
    },
    /// It has unexpected content.
    #[error("{path} does not hold {wanted}; delete it to have a new one made", path = path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// What it should hold.
        wanted: &'static str,
    },
    /// It holds a secret that can be guessed.
    #[error("the secret in {} can be guessed: {weakness}; put a random one there: `openssl rand -hex 32 > {}`", path.display(), quoted(path))]
    Weak {
        /// Which file.
        path: PathBuf,
        /// The pattern that was detected.
        weakness: &'static str,
    },
    /// A directory or link on the path to it has a problem.
    #[error("{}: {problem}", asked.display())]
    OnTheWay {
        /// What was named.
        asked: PathBuf,
        /// The problem of that directory or link.
        problem: Box<PrivateFileError>,
    },
}

impl PrivateFileError {
    fn path(&self) -> &Path {
        match self {
            Self::Io { path, .. }
            | Self::Exposed { path, .. }
            | Self::Writable { path, .. }
            | Self::Foreign { path, .. }
            | Self::Kind { path, .. }
            | Self::Linked { path, .. }
            | Self::Long { path, .. }
            | Self::Content { path, .. }
            | Self::Weak { path, .. } => path,
            Self::OnTheWay { asked, .. } => asked,
        }
    }

    /// Adds the requested path to the error, if the problem is at another path.
    fn on_the_way_to(self, asked: &Path) -> Self {
        if self.path() == asked { self } else { Self::OnTheWay { asked: asked.to_owned(), problem: Box::new(self) } }
    }

    /// Whether the file does not exist.
    fn is_missing(&self) -> bool {
        match self {
            Self::Io { problem, .. } => problem.kind() == io::ErrorKind::NotFound,
            Self::OnTheWay { problem, .. } => problem.is_missing(),
            _ => false,
        }
    }
}

/// A path, quoted for a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+,=@:%".contains(c);
    if text.chars().all(is_plain) && !text.starts_with('-') {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// What a private file holds.
#[derive(Debug)]
pub struct PrivateFile {
    /// Its text without the white space around it.
    pub text: String,
    /// Whether it was made just now.
    pub created: bool,
}

/// Reads the file. Creates it first, with 32 random bytes in base64url, if it does not exist.
///
/// # Errors
/// If it can't be read or created, or can be read by other users.
pub fn read_or_create(path: &Path) -> Result<PrivateFile, PrivateFileError> {
    match read(path) {
        Err(problem) if problem.is_missing() => {
            let created = create(path)?;
            Ok(PrivateFile { text: read(path)?, created })
        }
        text => Ok(PrivateFile { text: text?, created: false }),
    }
}

/// Reads a secret: the file's text without the white space around it.
///
/// # Errors
/// If it can't be read, or others may read or change it.
pub fn read(path: &Path) -> Result<String, PrivateFileError> {
    let opened = open(path, LARGEST)?;
    opened.check_private()?;
    Ok(opened.text()?.trim().to_owned())
}

/// Reads a public file, such as a public key, which no other user may change.
///
/// # Errors
/// If it can't be read, or others may change it.
pub fn read_public(path: &Path) -> Result<String, PrivateFileError> {
    open(path, LARGEST)?.text()
}

/// Reads a configuration, which no other user may change. If `holds_secrets` is true for its text, no other user may
/// read it either.
///
/// # Errors
/// If it can't be read, or others may change it, or read what they must not.
pub fn read_configuration(path: &Path, holds_secrets: impl FnOnce(&str) -> bool) -> Result<String, PrivateFileError> {
    let opened = open(path, LARGEST_CONFIGURATION)?;
    let text = opened.text()?;
    if holds_secrets(&text) {
        opened.check_private()?;
    }
    Ok(text)
}

/// The 32 bytes in the file; makes it first if there is none.
///
/// # Errors
/// As [`read_or_create`], or if the file holds something else.
pub fn secret(path: &Path) -> Result<[u8; 32], PrivateFileError> {
    let text = read_or_create(path)?.text;
    let decoded: Option<[u8; 32]> = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    let secret =
        decoded.ok_or_else(|| PrivateFileError::Content { path: path.to_owned(), wanted: "32 bytes in base64url" })?;
    // Only this server uses it, so replacing it invalidates only the resume tokens in use.
    match weakness(&secret) {
        Some(_) => Err(PrivateFileError::Content { path: path.to_owned(), wanted: "32 random bytes in base64url" }),
        None => Ok(secret),
    }
}

/// Creates a directory for its owner only, with missing parents. No other user may write to it, or replace it.
///
/// # Errors
/// If it can't be made, or others may write to it.
pub fn directory(path: &Path) -> Result<(), PrivateFileError> {
    let trust = Trust::of_process();
    let place = trust.follow(path)?;
    if place.found.is_none() {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&place.real);
        made.map_err(|problem| PrivateFileError::Io { path: path.to_owned(), problem })?;
    }
    // Checked again, as another user may have created it in the meantime.
    let place = trust.follow(path)?;
    let Some(about) = place.found else {
        return Err(PrivateFileError::Io {
            path: path.to_owned(),
            problem: io::Error::from_raw_os_error(libc::ENOENT),
        });
    };
    if !about.is_dir() {
        let found = if about.is_file() { "a file" } else { kind(&about) };
        return Err(PrivateFileError::Kind { path: path.to_owned(), found, wanted: "a directory" });
    }
    let checked = if !trust.believes(about.uid()) {
        Err(trust.foreign(&place.real, &about))
    } else if about.mode() & OTHERS_WRITE != 0 {
        Err(PrivateFileError::Writable { path: place.real.clone(), mode: about.mode() & 0o7777 })
    } else {
        Ok(())
    };
    checked.map_err(|problem| problem.on_the_way_to(path))
}

/// Checks a file that the server opens by itself, if it exists.
///
/// # Errors
/// If it is no regular file of this process's user, or others may write to it, or read it.
pub fn kept_file(path: &Path) -> Result<(), PrivateFileError> {
    let trust = Trust::of_process();
    let place = trust.follow(path)?;
    let Some(about) = place.found else { return Ok(()) };
    check_kept(trust, &place.real, &about, lets_others_in(&place.real)).map_err(|problem| problem.on_the_way_to(path))
}

/// Checks all files in a directory whose names have one of these endings, like [`kept_file`].
///
/// # Errors
/// As [`kept_file`], of the first that can't be used; or if the directory can't be read.
pub fn kept_files(directory: &Path, ends: &[&str]) -> Result<(), PrivateFileError> {
    let failed = |problem| PrivateFileError::Io { path: directory.to_owned(), problem };
    let trust = Trust::of_process();
    let is_open = lets_others_in(&directory.join("any"));
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if ends.iter().any(|end| name.as_encoded_bytes().ends_with(end.as_bytes())) {
            check_kept(trust, &entry.path(), &entry.metadata().map_err(failed)?, is_open)?;
        }
    }
    Ok(())
}

/// Opens a file for rewriting: private to its owner, whatever the umask.
///
/// # Errors
/// The system's error.
pub fn rewrite(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(problem) if problem.kind() != io::ErrorKind::NotFound => return Err(problem),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn check_kept(trust: Trust, path: &Path, about: &Metadata, is_open: bool) -> Result<(), PrivateFileError> {
    let path = path.to_owned();
    if !about.is_file() {
        return Err(PrivateFileError::Kind { path, found: kind(about), wanted: "a regular file" });
    }
    if about.uid() != trust.us {
        return Err(trust.foreign(&path, about));
    }
    let mode = about.mode() & 0o7777;
    if mode & OTHERS_WRITE != 0 {
        return Err(PrivateFileError::Writable { path, mode });
    }
    if mode & OTHERS_READ != 0 && is_open {
        return Err(PrivateFileError::Exposed { path, mode, wanted: "600" });
    }
    Ok(())
}

/// Whether others have access to the directory of this file.
fn lets_others_in(file: &Path) -> bool {
    file.parent().and_then(|parent| fs::metadata(parent).ok()).is_none_or(|about| about.mode() & 0o011 != 0)
}

/// A regular file that no other user can change.
struct Opened {
    file: File,
    about: Metadata,
    asked: PathBuf,
    trust: Trust,
    most: u64,
}

fn open(asked: &Path, most: u64) -> Result<Opened, PrivateFileError> {
    open_as(Trust::of_process(), asked, most)
}

fn open_as(trust: Trust, asked: &Path, most: u64) -> Result<Opened, PrivateFileError> {
    let failed = |problem| PrivateFileError::Io { path: asked.to_owned(), problem };
    let place = trust.follow(asked)?;
    let not_a_file = |about: &Metadata| {
        let asked = asked.to_owned();
        PrivateFileError::Kind { path: asked, found: kind(about), wanted: "a regular file" }
    };
    match place.found {
        None => return Err(failed(io::Error::from_raw_os_error(libc::ENOENT))),
        Some(about) if !about.is_file() => return Err(not_a_file(&about)),
        Some(_) => {}
    }
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(&place.real).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if !about.is_file() {
        return Err(not_a_file(&about));
    }
    if !trust.believes(about.uid()) {
        return Err(trust.foreign(&place.real, &about).on_the_way_to(asked));
    }
    if about.mode() & OTHERS_WRITE != 0 {
        let mode = about.mode() & 0o7777;
        return Err(PrivateFileError::Writable { path: place.real, mode }.on_the_way_to(asked));
    }
    if place.is_shared && about.nlink() > 1 {
        return Err(PrivateFileError::Linked { path: place.real, names: about.nlink() }.on_the_way_to(asked));
    }
    Ok(Opened { file, about, asked: asked.to_owned(), trust, most })
}

impl Opened {
    /// Checks that no other user can read it; a file that root created for this user may be readable by its group.
    fn check_private(&self) -> Result<(), PrivateFileError> {
        let is_handed_over = self.about.uid() != self.trust.us;
        let (forbidden, wanted) = if is_handed_over { (0o037, "440") } else { (0o077, "600") };
        let mode = self.about.mode() & 0o7777;
        if mode & forbidden == 0 {
            return Ok(());
        }
        Err(PrivateFileError::Exposed { path: self.asked.clone(), mode, wanted })
    }

    fn text(&self) -> Result<String, PrivateFileError> {
        let mut text = String::new();
        let read = (&self.file).take(self.most + 1).read_to_string(&mut text);
        read.map_err(|problem| PrivateFileError::Io { path: self.asked.clone(), problem })?;
        if text.len() as u64 > self.most {
            return Err(PrivateFileError::Long { path: self.asked.clone(), most: self.most });
        }
        Ok(text)
    }
}

/// Creates the file atomically. Returns false if another process was faster: then that process's file is used.
fn create(asked: &Path) -> Result<bool, PrivateFileError> {
    let path = Trust::of_process().follow(asked)?.real;
    let parent = path.parent().unwrap_or(Path::new("/"));
    directory(parent)?;
    write_new(&path, parent).map_err(|problem| PrivateFileError::Io { path: asked.to_owned(), problem })
}

fn write_new(path: &Path, parent: &Path) -> io::Result<bool> {
    let mut random = [0; 32];
    getrandom::fill(&mut random)?;
    let draft = parent.join(format!(".{}.draft", URL_SAFE_NO_PAD.encode(&random[..9])));
    getrandom::fill(&mut random)?;

    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).and_then(|mut file| {
        writeln!(file, "{}", URL_SAFE_NO_PAD.encode(random))?;
        file.sync_all()
    });
    // Unlike a rename, a link never replaces an existing file.
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
mod tests;
