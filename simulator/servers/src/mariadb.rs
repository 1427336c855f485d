//! A real MariaDB server.

use std::time::Duration;

use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::install::{run, words};
use crate::{Process, ServerError, free_port};

/// The first byte of the server's greeting: the protocol version.
const PROTOCOL: u8 = 10;

/// A MariaDB server that is started for a test or a demo.
#[derive(Debug)]
pub struct MariaDb {
    process: Process,
    port: u16,
    /// Deleted with the server.
    _directory: TempDir,
}

impl MariaDb {
    /// Starts a server with an empty database, and waits until it answers.
    ///
    /// # Errors
    /// If `mariadb-install-db` or `mariadbd` is not installed, or does not start.
    pub async fn start() -> Result<Self, ServerError> {
        let directory = tempfile::tempdir()?;
        let path = |name: &str| directory.path().join(name).display().to_string();
        let log = directory.path().join("log");
        let port = free_port()?;
        let data = format!("--datadir={}", path("data"));
        // Root has to set the account that the server runs as; other users must not.
        let user = rustix::process::geteuid().is_root().then(|| "--user=root".to_owned());
        let mut install = words(["mariadb-install-db", "--no-defaults", &data, "--skip-test-db"]);
        // Any user of this machine can connect as the database's root, without a password.
        install.push("--auth-root-authentication-method=normal".to_owned());
        install.extend(user.clone());
        run(&install, &log).await?;
        let init = directory.path().join("init.sql");
        std::fs::write(&init, "CREATE DATABASE IF NOT EXISTS klaxon CHARACTER SET utf8mb4;\n")?;
        let mut arguments = words([
            "--no-defaults",
            &data,
            &format!("--init-file={}", init.display()),
            &format!("--port={port}"),
            "--bind-address=127.0.0.1",
            &format!("--socket={}", path("socket")),
            &format!("--pid-file={}", path("pid")),
            // Servers that share a directory for temporary tables interfere with each other.
            &format!("--tmpdir={}", directory.path().display()),
            "--skip-name-resolve",
            // Without a sync, writes survive a kill; only a power failure loses them.
            "--innodb-flush-log-at-trx-commit=2",
            "--innodb-flush-method=nosync",
        ]);
        arguments.extend(user);
        let mut process = Process::start("mariadbd", arguments, Vec::new(), &log)?;
        process.ready(async || answers(port).await).await?;
        Ok(Self { process, port, _directory: directory })
    }

    /// The URL of its database, such as `mysql://root@127.0.0.1:3306/klaxon`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("mysql://root@127.0.0.1:{}/klaxon", self.port)
    }

    /// The server's process, to pause or kill it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Restarts the server on the same port after it was killed, with all acknowledged writes.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start_again(&mut self) -> Result<(), ServerError> {
        self.process.start_again()?;
        let port = self.port;
        self.process.ready(async || answers(port).await).await
    }
}

/// Whether a MariaDB sends its greeting on this port. It does so after recovery, when its initial commands are done.
async fn answers(port: u16) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let mut greeting = [0; 5];
        stream.read_exact(&mut greeting).await?;
        std::io::Result::Ok(greeting[4] == PROTOCOL)
    };
    matches!(timeout(Duration::from_secs(1), ask).await, Ok(Ok(true)))
}
