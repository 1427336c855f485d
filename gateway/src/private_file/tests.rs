use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

pub(super) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

pub(super) fn error_of<T>(result: Result<T, PrivateFileError>) -> String {
    result.err().expect("it is refused").to_string()
}

/// Makes this somebody else's file: by giving it away where the tests are root's, else by being somebody else.
pub(super) fn trust_that_owns_nothing_of(path: &Path) -> Trust {
    let us = Trust::of_process().us;
    if us != 0 {
        return Trust { us: us + 1 };
    }
    std::os::unix::fs::lchown(path, Some(4242), None).unwrap();
    Trust { us }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn file(dir: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    set_mode(&path, mode);
    path
}

fn fifo(dir: &Path) -> PathBuf {
    let path = dir.join("fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
    path
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
    for wide in [0o640, 0o604, 0o644, 0o610] {
        set_mode(&path, wide);
        let message = error_of(read_or_create(&path));
        assert!(message.contains(&format!("mode {wide:o}")) && message.contains("chmod 600"), "{message}");
    }
    for wide in [0o620, 0o602, 0o666] {
        set_mode(&path, wide);
        let message = error_of(read_or_create(&path));
        assert!(message.contains(&format!("mode {wide:o}")) && message.contains("chmod go-w"), "{message}");
    }
}

#[test]
fn a_secret_is_32_random_bytes_or_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), "secret", "hunter2\n", 0o600);
    assert!(error_of(secret(&path)).contains("32 bytes"));
    for weak in [[b'x'; 32], [0; 32], *b"abcdefghijklmnopqrstuvwxyz012345"] {
        fs::write(&path, URL_SAFE_NO_PAD.encode(weak)).unwrap();
        assert!(error_of(secret(&path)).contains("32 random bytes"));
    }
}

#[test]
fn what_is_no_regular_file_is_refused_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let link = dir.path().join("link");
    symlink(fifo(dir.path()), &link).unwrap();
    for (path, found) in [
        (dir.path().join("fifo"), "a FIFO"),
        (link, "a FIFO"),
        (socket, "a socket"),
        (dir.path().to_owned(), "a directory"),
        ("/dev/zero".into(), "a device"),
        ("/dev/null".into(), "a device"),
    ] {
        let refusals = [
            error_of(read(&path)),
            error_of(read_public(&path)),
            error_of(read_or_create(&path)),
            error_of(secret(&path)),
            error_of(read_configuration(&path, |_| false)),
        ];
        for message in refusals {
            assert_eq!(message, format!("{} is {found}; it must be a regular file", path.display()));
        }
        if found != "a directory" {
            assert!(error_of(kept_file(&path)).contains(&format!("is {found}; it must be a regular file")));
            assert!(error_of(directory(&path)).contains(&format!("is {found}; it must be a directory")));
        }
    }
}

#[test]
fn a_file_is_read_to_its_limit_and_no_further() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), "key", &"x".repeat(4096), 0o600);
    assert_eq!(read(&path).unwrap().len(), 4096);
    File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
    assert!(error_of(read(&path)).contains("more than 4096 bytes"));
    assert!(error_of(read_public(&path)).contains("more than 4096 bytes"));
}

#[test]
fn a_file_of_somebody_else_is_refused_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), "token", "x", 0o600);
    let trust = trust_that_owns_nothing_of(&path);
    let message = error_of(open_as(trust, &path, LARGEST).map(drop));
    assert!(
        message.contains("belongs to another user") && message.contains(&format!("`chown -h {} ", trust.us)),
        "{message}"
    );
}

#[test]
fn a_hard_link_is_refused_where_others_could_have_made_it() {
    let dir = tempfile::tempdir().unwrap();
    let shared = dir.path().join("shared");
    fs::create_dir(&shared).unwrap();
    let ours = file(dir.path(), "ours", "not meant for this", 0o600);
    let (token, alias) = (shared.join("token"), shared.join("alias"));
    fs::hard_link(&ours, &token).unwrap();
    symlink(&ours, dir.path().join("link")).unwrap();
    fs::hard_link(dir.path().join("link"), &alias).unwrap();
    let looks = |path: &Path| {
        [read(path).map(drop), read_public(path).map(drop), read_configuration(path, |_| false).map(drop)]
    };
    for mode in [0o1777, 0o1770, 0o3775] {
        set_mode(&shared, mode);
        for result in looks(&token) {
            let message = error_of(result);
            assert!(
                message.contains("token is one of 2 names (hard links)") && message.contains("`cp -p "),
                "{message}"
            );
        }
        assert!(error_of(read(&alias)).contains("alias is one of 2 names (hard links)"));
        assert!(read(&ours).is_ok(), "its own name is nobody else's doing");
    }
    // What is said to help does: a file of its own.
    let fresh = shared.join("token.new");
    fs::copy(&token, &fresh).unwrap();
    fs::rename(&fresh, &token).unwrap();
    assert!(looks(&token).iter().all(Result::is_ok));
    // A copy by links (`cp -al`) is fine where nobody else can put names.
    fs::remove_file(&token).unwrap();
    fs::hard_link(&ours, &token).unwrap();
    set_mode(&shared, 0o755);
    assert!(looks(&token).iter().all(Result::is_ok));
}

/// As Kubernetes mounts a secret for a user who is not root: links that root made to a file of mode 440 or 640, in a directory like
/// `/tmp`.
#[test]
fn root_may_hand_a_secret_over_to_this_users_group() {
    if Trust::of_process().us != 0 {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    set_mode(dir.path(), 0o1777);
    let first = dir.path().join("..2026_01_01");
    fs::create_dir(&first).unwrap();
    set_mode(&first, 0o755);
    let kept = file(&first, "token", "hush", 0o440);
    symlink("..2026_01_01", dir.path().join("..data")).unwrap();
    symlink("..data/token", dir.path().join("token")).unwrap();
    let read_as = |us| {
        let opened = open_as(Trust { us }, &dir.path().join("token"), LARGEST)?;
        opened.check_private()?;
        opened.text()
    };
    for mode in [0o440, 0o400, 0o640] {
        set_mode(&kept, mode);
        assert_eq!(read_as(1000).unwrap(), "hush");
    }
    for mode in [0o444, 0o644, 0o404] {
        set_mode(&kept, mode);
        assert!(error_of(read_as(1000)).contains("chmod 440"));
    }
    set_mode(&kept, 0o400);
    assert_eq!(read_as(0).unwrap(), "hush");
    set_mode(&kept, 0o440);
    assert!(error_of(read_as(0)).contains("chmod 600"), "for root itself nobody else needs to read it");
}

#[test]
fn a_configuration_with_a_password_is_a_secret_and_one_without_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), "klaxon.toml", "a = 1", 0o644);
    assert_eq!(read_configuration(&path, |text| text.contains("hush")).unwrap(), "a = 1");
    assert!(error_of(read_configuration(&path, |_| true)).contains("chmod 600"));
    for wide in [0o666, 0o664, 0o646] {
        set_mode(&path, wide);
        assert!(error_of(read_configuration(&path, |_| false)).contains("chmod go-w"));
    }
    set_mode(&path, 0o600);
    assert!(read_configuration(&path, |_| true).is_ok());
}

#[test]
fn a_directory_that_others_can_write_to_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    directory(&data.join("journal")).unwrap();
    assert_eq!((mode(&data), mode(&data.join("journal"))), (0o700, 0o700));
    for wide in [0o777, 0o770, 0o775, 0o702, 0o1777, 0o2770] {
        set_mode(&data, wide);
        let message = error_of(directory(&data));
        assert!(message.contains(&format!("mode {wide:o}")) && message.contains("chmod go-w"), "{message}");
    }
    set_mode(&data, 0o755);
    directory(&data).unwrap();

    // The journal is a link to where everybody can write, as `/tmp` is.
    let shared = dir.path().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::remove_dir(data.join("journal")).unwrap();
    symlink(&shared, data.join("journal")).unwrap();
    directory(&data.join("journal")).unwrap();
    for wide in [0o777, 0o1777] {
        set_mode(&shared, wide);
        let message = error_of(directory(&data.join("journal")));
        assert!(message.contains("data/journal: ") && message.contains("shared: others can write to it"), "{message}");
    }
    fs::write(dir.path().join("file"), "").unwrap();
    assert!(error_of(directory(&dir.path().join("file"))).contains("is a file; it must be a directory"));
    assert!(error_of(directory(&dir.path().join("file/data"))).contains("Not a directory"));
}

#[test]
fn files_that_the_server_keeps_are_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive.sqlite");
    kept_file(&archive).unwrap();
    fs::write(&archive, "").unwrap();
    for (directory, mode, refused) in [
        (0o700, 0o600, None),
        (0o755, 0o600, None),
        (0o700, 0o644, None),
        (0o755, 0o644, Some("chmod 600")),
        (0o711, 0o640, Some("chmod 600")),
        (0o700, 0o666, Some("chmod go-w")),
        (0o700, 0o620, Some("chmod go-w")),
    ] {
        set_mode(dir.path(), directory);
        set_mode(&archive, mode);
        for result in [kept_file(&archive), kept_files(dir.path(), &[".sqlite"])] {
            match refused {
                None => result.unwrap(),
                Some(what_to_do) => assert!(error_of(result).contains(what_to_do), "{directory:o} {mode:o}"),
            }
        }
        kept_files(dir.path(), &[".klxj"]).unwrap();
    }
    set_mode(&archive, 0o600);
    symlink(&archive, dir.path().join("1.klxj")).unwrap();
    assert!(error_of(kept_files(dir.path(), &[".klxj"])).contains("1.klxj is a link"));
    fs::remove_file(dir.path().join("1.klxj")).unwrap();
    let fifo = fifo(dir.path());
    fs::rename(fifo, dir.path().join("1.klxj")).unwrap();
    assert!(error_of(kept_files(dir.path(), &[".klxj"])).contains("1.klxj is a FIFO"));
}

#[test]
fn what_is_written_anew_is_for_its_owner_only_and_goes_through_no_link() {
    let dir = tempfile::tempdir().unwrap();
    let victim = file(dir.path(), "victim", "untouched", 0o644);
    let path = dir.path().join("addresses.json");
    symlink(&victim, &path).unwrap();
    rewrite(&path).unwrap().write_all(b"{}").unwrap();
    assert_eq!((mode(&path), fs::read_to_string(&victim).unwrap()), (0o600, "untouched".to_owned()));
    rewrite(&path).unwrap().write_all(b"[]").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "[]");
}

#[test]
fn a_command_to_run_names_the_path_as_a_shell_takes_it() {
    assert_eq!(quoted(Path::new("/var/lib/klaxon-1")), "/var/lib/klaxon-1");
    assert_eq!(quoted(Path::new("/a b/it's")), "'/a b/it'\\''s'");
}
