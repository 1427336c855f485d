//! Follows the path to a file, and checks that no other user could replace what it leads to.
//!
//! A path is followed one component at a time. Each directory on the way, and each link, must belong to root or to this
//! process's user, and no other user may write to the directory, unless it is sticky (`/tmp`: others can't replace our
//! files there) or on a read-only mount (as Kubernetes mounts a ConfigMap). So only trusted users could change what the
//! path leads to, and nothing changes between this check and the opening.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::StatVfsMountFlags;

use super::PrivateFileError;

/// The number of links that the kernel follows at most.
const MOST_LINKS: usize = 40;
/// The mode bits that let others write.
pub(super) const OTHERS_WRITE: u32 = 0o022;
/// The mode bits that let others read.
pub(super) const OTHERS_READ: u32 = 0o044;
const STICKY: u32 = 0o1000;

/// The trusted users: root, and this process's user.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trust {
    /// The uid of this process's user.
    pub(super) us: u32,
}

/// The result of following a path.
#[derive(Debug)]
pub(super) struct FoundPath {
    /// The path with its links resolved.
    pub(super) real: PathBuf,
    /// The metadata of the file; none if it does not exist.
    pub(super) found: Option<Metadata>,
    /// Others may create files in its directory, but can't remove or replace ours.
    pub(super) is_shared: bool,
}

impl Trust {
    pub(super) fn of_process() -> Self {
        Self { us: rustix::process::geteuid().as_raw() }
    }

    pub(super) const fn believes(self, owner: u32) -> bool {
        owner == 0 || owner == self.us
    }

    /// Follows a path, if no other user could change what it leads to.
    pub(super) fn follow(self, asked: &Path) -> Result<FoundPath, PrivateFileError> {
        self.walk(asked).map_err(|problem| problem.on_the_way_to(asked))
    }

    fn walk(self, asked: &Path) -> Result<FoundPath, PrivateFileError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |problem| PrivateFileError::Io { path, problem }
        };
        let whole = std::path::absolute(asked).map_err(io(asked))?;
        let mut real = PathBuf::from("/");
        let mut found = Some(std::fs::symlink_metadata(&real).map_err(io(&real))?);
        let mut left: VecDeque<OsString> = components(&whole);
        let (mut links, mut is_shared) = (0, false);
        while let Some(name) = left.pop_front() {
            is_shared = match &found {
                None => false,
                Some(about) if about.is_dir() => self.check_on_the_way(&real, about)?,
                Some(_) => return Err(io(&real)(io::Error::from_raw_os_error(libc::ENOTDIR))),
            };
            if name == ".." {
                real.pop();
                found = existing(&real)?;
                continue;
            }
            real.push(&name);
            found = if found.is_some() { existing(&real)? } else { None };
            let Some(link) = found.as_ref().filter(|about| about.is_symlink()) else { continue };
            if !self.believes(link.uid()) {
                return Err(self.foreign(&real, link));
            }
            if is_shared && link.nlink() > 1 {
                return Err(PrivateFileError::Linked { path: real, names: link.nlink() });
            }
            links += 1;
            if links > MOST_LINKS {
                return Err(io(&real)(io::Error::other("too many links lead on from one another")));
            }
            let target = std::fs::read_link(&real).map_err(io(&real))?;
            real.pop();
            if target.is_absolute() {
                real = PathBuf::from("/");
            }
            for name in components(&target).into_iter().rev() {
                left.push_front(name);
            }
            found = existing(&real)?;
        }
        Ok(FoundPath { real, found, is_shared })
    }

    /// Whether others can create files in the directory.
    ///
    /// # Errors
    /// If others can replace files of ours in it.
    fn check_on_the_way(self, path: &Path, about: &Metadata) -> Result<bool, PrivateFileError> {
        if !self.believes(about.uid()) {
            return Err(self.foreign(path, about));
        }
        let mode = about.mode();
        if mode & OTHERS_WRITE == 0 || is_read_only(path) || self.is_of_our_own_group(about) {
            return Ok(false);
        }
        if mode & STICKY != 0 {
            return Ok(true);
        }
        Err(PrivateFileError::Writable { path: path.to_owned(), mode: mode & 0o7777 })
    }

    /// Whether only the group may write, and it is the private group that many systems create for each user: with the
    /// user's own number, and without other members. There a checkout has mode 775.
    fn is_of_our_own_group(self, about: &Metadata) -> bool {
        let is_ours = self.us != 0 && about.uid() == self.us && about.gid() == self.us && about.mode() & 0o002 == 0;
        is_ours && std::fs::read_to_string("/etc/group").is_ok_and(|groups| has_no_other_members(&groups, self.us))
    }

    pub(super) fn foreign(self, path: &Path, about: &Metadata) -> PrivateFileError {
        PrivateFileError::Foreign { path: path.to_owned(), owner: about.uid(), us: self.us }
    }
}

/// The names of a path in order, `..` among them.
fn components(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
        })
        .collect()
}

fn existing(path: &Path) -> Result<Option<Metadata>, PrivateFileError> {
    match std::fs::symlink_metadata(path) {
        Ok(about) => Ok(Some(about)),
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(problem) => Err(PrivateFileError::Io { path: path.to_owned(), problem }),
    }
}

/// Whether the group with this number exists and has no member but the user whose name it has.
fn has_no_other_members(groups: &str, number: u32) -> bool {
    let number = number.to_string();
    let mut found = groups.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        match fields[..] {
            [name, _, group, members] if group == number => Some((name, members)),
            _ => None,
        }
    });
    let is_alone = |(name, members): (&str, &str)| members.split(',').all(|member| member.is_empty() || member == name);
    found.next().is_some_and(is_alone) && found.all(is_alone)
}

fn is_read_only(path: &Path) -> bool {
    rustix::fs::statvfs(path).is_ok_and(|mount| mount.f_flag.contains(StatVfsMountFlags::RDONLY))
}

/// The kind of something that is not a regular file, as a noun with its article.
pub(super) fn kind(about: &Metadata) -> &'static str {
    let kind = about.file_type();
    if kind.is_dir() {
        "a directory"
    } else if kind.is_symlink() {
        "a link"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::super::tests::{error_of, set_mode, trust_that_owns_nothing_of};
    use super::*;

    fn us() -> Trust {
        Trust::of_process()
    }

    #[test]
    fn links_dots_and_missing_names_lead_where_the_kernel_would_go() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().canonicalize().unwrap();
        fs::create_dir_all(real.join("a/b")).unwrap();
        fs::write(real.join("a/b/file"), "").unwrap();
        symlink("a/b", real.join("link")).unwrap();
        symlink(real.join("link"), real.join("chain")).unwrap();
        symlink("../../chain/file", real.join("a/b/round")).unwrap();
        for (asked, leads_to) in [
            ("a/b/file", "a/b/file"),
            ("link/file", "a/b/file"),
            ("chain/../b/./file", "a/b/file"),
            ("a/b/round", "a/b/file"),
            ("link", "a/b"),
        ] {
            let place = us().follow(&real.join(asked)).unwrap();
            assert_eq!(place.real, real.join(leads_to), "{asked}");
            assert!(place.found.is_some());
        }
        let place = us().follow(&real.join("chain/new/deeper")).unwrap();
        assert_eq!((place.real, place.found.is_none()), (real.join("a/b/new/deeper"), true));
        assert!(error_of(us().follow(&real.join("a/b/file/below"))).contains("Not a directory"));
        symlink("loop", real.join("loop")).unwrap();
        assert!(error_of(us().follow(&real.join("loop"))).contains("too many links"));
    }

    #[test]
    fn a_directory_on_the_way_that_others_can_write_to_is_refused_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let open = dir.path().join("open");
        fs::create_dir_all(open.join("ours")).unwrap();
        fs::write(open.join("ours/file"), "").unwrap();
        symlink(open.join("ours"), dir.path().join("journal")).unwrap();
        for mode in [0o777, 0o775, 0o757, 0o722, 0o2775] {
            set_mode(&open, mode);
            for asked in ["open/ours/file", "open/ours", "open/missing", "journal", "journal/file", "open/../open/ours"]
            {
                let message = error_of(us().follow(&dir.path().join(asked)));
                assert!(message.contains(&format!("others can write to it (mode {mode:o})")), "{message}");
                assert!(
                    message.contains(&format!("`chmod go-w {}`", open.canonicalize().unwrap().display())),
                    "{message}"
                );
            }
        }
        set_mode(&open, 0o1777);
        assert!(us().follow(&open.join("ours/file")).is_ok(), "as in /tmp");
        set_mode(&open, 0o755);
        assert!(us().follow(&open.join("ours/file")).is_ok());
        fs::set_permissions(&open, fs::Permissions::from_mode(0o700)).unwrap();
    }

    #[test]
    fn a_group_of_ones_own_has_no_other_members() {
        let groups = "root:x:0:\nann:x:1000:\nbob:x:1001:bob\nteam:x:1002:ann,bob\neve:x:1003:eve,mallory\ntwo:x:1004:\nmore:x:1004:bob\n";
        for (number, is_own) in [(1000, true), (1001, true), (1002, false), (1003, false), (1004, false), (1005, false)]
        {
            assert_eq!(has_no_other_members(groups, number), is_own, "{number}");
        }
    }

    #[test]
    fn a_directory_or_a_link_of_somebody_else_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("theirs")).unwrap();
        fs::write(dir.path().join("theirs/file"), "").unwrap();
        let trust = trust_that_owns_nothing_of(&dir.path().join("theirs"));
        let message = error_of(trust.follow(&dir.path().join("theirs/file")));
        assert!(message.contains("belongs to another user") && message.contains("chown"), "{message}");

        symlink("/etc", dir.path().join("link")).unwrap();
        let trust = trust_that_owns_nothing_of(&dir.path().join("link"));
        let message = error_of(trust.follow(&dir.path().join("link/hostname")));
        assert!(message.contains("belongs to another user"), "{message}");
    }
}
