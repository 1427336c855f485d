//! The contract on real servers. One of each is shared by the tests that run at the same time; each test has a database of its
//! own in it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak, mpsc};
use std::thread::JoinHandle;

use klaxon_servers::{MariaDb, Postgres};
use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use tokio::sync::oneshot;

use super::super::SqlArchive;
use crate::archive::contract::archive_contract;

/// A server that lives as long as somebody has this.
pub struct Server {
    url: String,
    /// Lets its thread end it.
    leave: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.leave.take());
        // Nothing is left of it, not even its folder, when the last test is over.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

static POSTGRES: Mutex<Weak<Server>> = Mutex::new(Weak::new());
static MARIADB: Mutex<Weak<Server>> = Mutex::new(Weak::new());
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// The server that others use now, or a new one. It has a thread of its own, as a server ends with the thread that started it.
fn shared<S>(
    slot: &Mutex<Weak<Server>>,
    start: impl AsyncFnOnce() -> S + Send + 'static,
    url: impl Fn(&S) -> String + Send + 'static,
) -> Arc<Server> {
    let mut slot = slot.lock().unwrap();
    if let Some(server) = slot.upgrade() {
        return server;
    }
    let (leave, left) = oneshot::channel();
    let (started, starting) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let server = start().await;
            started.send(url(&server)).unwrap();
            let _ = left.await;
        });
    });
    let server =
        Arc::new(Server { url: starting.recv().expect("it starts"), leave: Some(leave), thread: Some(thread) });
    *slot = Arc::downgrade(&server);
    server
}

/// The URL of an empty database.
async fn empty(server: &Server) -> String {
    install_default_drivers();
    let name = format!("klaxon_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let mut connection = AnyConnection::connect(&server.url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let (address, _) = server.url.rsplit_once('/').unwrap();
    format!("{address}/{name}")
}

/// The URL of an empty database of PostgreSQL.
pub async fn postgres() -> (String, Arc<Server>) {
    let server = shared(&POSTGRES, async || Postgres::start().await.unwrap(), Postgres::url);
    (empty(&server).await, server)
}

/// The URL of an empty database of MariaDB.
pub async fn mariadb() -> (String, Arc<Server>) {
    let server = shared(&MARIADB, async || MariaDb::start().await.unwrap(), MariaDb::url);
    (empty(&server).await, server)
}

async fn archive((url, server): (String, Arc<Server>)) -> (SqlArchive, Arc<Server>) {
    (SqlArchive::open(&url).await.unwrap(), server)
}

mod in_postgres {
    use super::*;
    archive_contract!(archive(postgres().await).await);
}

mod in_mariadb {
    use super::*;
    archive_contract!(archive(mariadb().await).await);
}
