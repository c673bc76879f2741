//! Several processes over one database: any of them may be away.

mod away;
mod rolling;
mod rush;

pub(crate) use away::{Fault, run as away};
pub(crate) use rolling::run as rolling;
pub(crate) use rush::run as rush;

use crate::books;
use crate::report::Report;
use crate::{audit::Audit, users::CARS};
use cluster::Cluster;
use harness::{Business, Client, Data, Provider, Server, Shop};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What each process does.
pub(crate) type Roles = (&'static str, &'static str);

/// Processes that share a database and nothing else.
pub(crate) struct Fleet {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) provider: Provider,
    members: BTreeMap<&'static str, Member>,
}

struct Member {
    data: Arc<Data>,
    server: Option<Server>,
}

impl Fleet {
    /// Starts them one after the other, each with what else it is told.
    pub(crate) async fn start(roles: &[Roles], more: &[(&'static str, Vec<String>)]) -> Self {
        let cluster = Arc::new(Cluster::start());
        let provider = Provider::start().await;
        let journal = cluster.database();
        let mut members = BTreeMap::new();
        for (name, roles) in roles {
            let mut options = vec!["--journal", &journal, "--roles", roles, "--payment-provider", provider.address()];
            let of_member = more.iter().filter(|(of, _)| of == name).flat_map(|(_, more)| more);
            options.extend(of_member.map(String::as_str));
            let data = Data::with_options(&options);
            let server = Some(data.serve().await);
            members.insert(*name, Member { data, server });
        }
        Self { cluster, provider, members }
    }

    /// A running process.
    pub(crate) fn server(&self, name: &str) -> &Server {
        self.members[name].server.as_ref().expect("it is running")
    }

    pub(crate) fn client(&self, name: &str) -> Client {
        self.server(name).client()
    }

    /// kill -9.
    pub(crate) async fn kill(&mut self, name: &str) {
        self.member(name).server.take().expect("it is running").kill().await;
    }

    /// SIGTERM; the exit code.
    pub(crate) async fn stop(&mut self, name: &str) -> Option<i32> {
        self.member(name).server.take().expect("it is running").stop().await.1
    }

    /// Starts a process again that was ended.
    pub(crate) async fn restart(&mut self, name: &str) {
        let data = self.members[name].data.clone();
        self.member(name).server = Some(data.serve().await);
    }

    fn member(&mut self, name: &str) -> &mut Member {
        self.members.get_mut(name).expect("there is one of that name")
    }

    /// A car rental with so many cars that nobody is turned away; the item.
    pub(crate) async fn found(&self) -> String {
        Shop::found(self.server("api-1"), &Business::cars(), json!(CARS)).await
    }

    /// Compares everything with everything, and ends the processes.
    pub(crate) async fn judge(mut self, client: &Client, audit: &Audit, report: &mut Report) {
        books::agree(client, &self.provider, audit, report).await;
        let names: Vec<&str> = self.members.keys().copied().collect();
        for name in names {
            if self.members[name].server.is_some() {
                let code = self.stop(name).await;
                report.holds(&format!("`{name}` ends well"), code == Some(0), format!("{code:?}"));
            }
        }
        let data = self.members.values().next().expect("there is one").data.clone();
        books::replayed(&data, report).await;
    }
}
