//! A PostgreSQL server of its own for a test binary: made in a temporary directory, reached by a Unix socket, and ended by its
//! id when the binary ends, however it ends.
#![allow(clippy::expect_used, reason = "a harness fails its test by panicking")]

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long it may take to begin, and to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// The oldest release that is good enough.
const OLDEST: u32 = 14;
/// The superuser of every cluster.
const USER: &str = "reservoir";
/// Whom the server runs as where the tests run as root, which PostgreSQL refuses.
const UNPRIVILEGED: &[&str] = &["postgres", "nobody"];

/// Runs the server, says its id, and ends it when standard input ends: that is when this process does, even when it is
/// killed. `keep` leaves the directory for another start.
const WATCHDOG: &str = r#"
directory=$1; shift
"$@" </dev/null >>"$directory/server.log" 2>&1 &
echo $!
read -r word
kill -INT $! 2>/dev/null
wait $!
[ "$word" = keep ] || rm -rf "$directory"
"#;

/// A running server with as many databases as are asked for.
pub struct Cluster {
    directory: TempDir,
    tools: PathBuf,
    server: Mutex<Option<Server>>,
    databases: AtomicU32,
}

struct Server {
    watchdog: Child,
    id: u32,
}

impl Cluster {
    /// The one that all tests of a binary share.
    ///
    /// # Panics
    /// Where PostgreSQL is not installed: a test that needs it does not pass without it.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// One of its own, to be stopped and started by its test.
    ///
    /// # Panics
    /// Where PostgreSQL is not installed.
    #[must_use]
    pub fn start() -> Self {
        let tools = tools();
        let directory = tempfile::Builder::new().prefix("reservoir-pg-").tempdir().expect("a temporary directory");
        let this = Self { directory, tools, server: Mutex::default(), databases: AtomicU32::new(0) };
        if is_root() {
            let to = unprivileged();
            succeed(Command::new("chown").arg(format!("{to}:")).arg(this.path()));
        }
        fs::set_permissions(this.path(), fs::Permissions::from_mode(0o755)).expect("its own directory");
        let mut initdb = this.tool("initdb");
        initdb.arg("--pgdata").arg(this.data()).args(["--username", USER, "--auth", "trust"]);
        succeed(initdb.args(["--encoding", "UTF8", "--no-locale", "--no-instructions", "--no-sync"]));
        this.resume();
        this
    }

    /// The address of a new, empty database.
    ///
    /// # Panics
    /// When the server does not make one.
    pub fn database(&self) -> String {
        let name = format!("journal_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.address(&name)
    }

    /// `postgres://…` of a database.
    #[must_use]
    pub fn address(&self, database: &str) -> String {
        format!("postgres://{USER}@localhost/{database}?host={}", self.path().display())
    }

    /// The socket on which the server listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.path().join(".s.PGSQL.5432")
    }

    /// Runs a statement and answers what it prints.
    ///
    /// # Panics
    /// When it fails.
    pub fn sql(&self, database: &str, statement: &str) -> String {
        let mut psql = Command::new(self.tools.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", USER, "-d", database, "-h"]);
        let output = succeed(psql.arg(self.path()).args(["-c", statement]));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Ends the server as a power cut would: nothing is written that is not on the disk.
    ///
    /// # Panics
    /// When it does not end.
    pub fn crash(&self) {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut server) = server else { return };
        succeed(Command::new("kill").args(["-QUIT", &server.id.to_string()]));
        server.finish("keep");
    }

    /// Has every process of the server stand still, as a machine does that hangs.
    ///
    /// # Panics
    /// When it is not running.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Wakes what stood still.
    ///
    /// # Panics
    /// When it is not running.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    /// To the server and the processes that it has made.
    fn signal(&self, signal: &str) {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        server.as_ref().expect("it is running").signal(signal);
    }

    /// Starts the server again.
    ///
    /// # Panics
    /// When it does not answer in time.
    pub fn resume(&self) {
        let mut command = Command::new("sh");
        command.args(["-c", WATCHDOG, "watchdog"]).arg(self.path());
        if is_root() {
            command.args(as_unprivileged());
        }
        command.arg(self.tools.join("postgres")).arg("-D").arg(self.data()).arg("-k").arg(self.path());
        for setting in ["listen_addresses=", "max_connections=300", "shared_buffers=256MB", "max_wal_size=2GB"] {
            command.args(["-c", setting]);
        }
        let mut watchdog =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell is on every machine");
        let mut id = String::new();
        let stdout = watchdog.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut id).expect("the server's id");
        let id = id.trim().parse().expect("the server's id");
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(Server { watchdog, id });
        let started = Instant::now();
        while !self.answers() {
            let log = || fs::read_to_string(self.path().join("server.log")).unwrap_or_default();
            assert!(started.elapsed() < PATIENCE, "PostgreSQL does not start:\n{}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn answers(&self) -> bool {
        let mut ready = Command::new(self.tools.join("pg_isready"));
        ready.args(["-q", "-U", USER, "-d", "postgres", "-h"]).arg(self.path());
        ready.status().is_ok_and(|status| status.success())
    }

    fn tool(&self, name: &str) -> Command {
        let program = self.tools.join(name);
        let mut command = match is_root() {
            true => {
                let words = as_unprivileged();
                let mut command = Command::new(&words[0]);
                command.args(&words[1..]).arg(program);
                command
            }
            false => Command::new(program),
        };
        command.current_dir(self.path());
        command
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn data(&self) -> PathBuf {
        self.path().join("data")
    }
}

impl Server {
    fn signal(&self, signal: &str) {
        // First the one that makes new ones. Whoever has ended meanwhile needs no signal.
        let kill = |ids: &str| {
            let ids = ids.split_whitespace().filter(|id| Path::new("/proc").join(id).exists());
            let _ = Command::new("kill").arg(signal).args(ids).stderr(Stdio::null()).status();
        };
        kill(&self.id.to_string());
        kill(&fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.id)).unwrap_or_default());
    }

    fn finish(&mut self, word: &str) {
        if let Some(mut stdin) = self.watchdog.stdin.take() {
            // A watchdog that is gone has nothing left to do.
            let _ = writeln!(stdin, "{word}");
        }
        let _ = self.watchdog.wait();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(server) = self.server.get_mut().unwrap_or_else(PoisonError::into_inner) {
            // What stands still does not end.
            server.signal("-CONT");
            server.finish("end");
        }
    }
}

fn succeed(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

fn unprivileged() -> &'static str {
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let known = |name: &&&str| accounts.lines().any(|line| line.split(':').next() == Some(**name));
    UNPRIVILEGED.iter().find(known).expect("an account that is not root's")
}

fn as_unprivileged() -> Vec<String> {
    let user = unprivileged();
    let words = ["setpriv", &format!("--reuid={user}"), &format!("--regid={}", group_of(user)), "--clear-groups", "--"];
    words.iter().map(|&word| word.to_owned()).collect()
}

fn group_of(user: &str) -> String {
    let output = succeed(Command::new("id").args(["-g", user]));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Where `postgres` and `initdb` are: `RESERVOIR_POSTGRES_BIN`, else the newest release on this machine.
fn tools() -> PathBuf {
    if let Some(chosen) = env::var_os("RESERVOIR_POSTGRES_BIN") {
        return chosen.into();
    }
    let on_path = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
    let packaged = ["/usr/lib/postgresql", "/usr/local/lib/postgresql", "/opt/homebrew/opt"].into_iter();
    let releases = packaged.filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let folders = on_path.into_iter().chain(releases.map(|release| release.path().join("bin")));
    // A link to the server leads to where its tools are.
    let homes = folders.filter_map(|folder| Some(fs::canonicalize(folder.join("postgres")).ok()?.parent()?.to_owned()));
    let complete = |folder: &PathBuf| ["initdb", "psql", "pg_isready"].iter().all(|tool| folder.join(tool).is_file());
    let newest = homes.filter(complete).filter_map(|folder| Some((release_of(&folder)?, folder))).max();
    match newest {
        Some((release, folder)) if release >= OLDEST => folder,
        _ => panic!(
            "PostgreSQL {OLDEST} or newer is needed: run tests/run, which installs it, or set RESERVOIR_POSTGRES_BIN"
        ),
    }
}

/// `postgres (PostgreSQL) 15.8 …` is 15.
fn release_of(folder: &Path) -> Option<u32> {
    let output = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace().find_map(|word| word.split('.').next()?.parse().ok())
}
