//! "Given a cinema" and "given a library": a store of another business, with what customers, staff and kiosks do there.

use harness::{ADMIN, Reply, Request, Server, eventually, transcript};
use serde_json::{Value, json};
use std::ops::Deref;

/// A store under a preset, on a server of its own.
pub(crate) struct Venue {
    server: Server,
    slug: &'static str,
}

impl Venue {
    /// Where films are shown.
    pub(crate) async fn cinema() -> Self {
        Self::open("cinema").await
    }

    /// Where books are lent.
    pub(crate) async fn library() -> Self {
        Self::open("library").await
    }

    async fn open(preset: &'static str) -> Self {
        let server = Server::fresh().await;
        let body = json!({
            "slug": preset, "name": preset, "policy": preset, "time_zone": "Asia/Seoul", "currency": "KRW",
        });
        server.post("/v1/stores").by(ADMIN).json(body).await.is(201);
        Self { server, slug: preset }
    }

    pub(crate) fn staff(&self) -> String {
        format!("staff:{}", self.slug)
    }

    /// Something to reserve for a thousand won; answers its id.
    pub(crate) async fn item(&self, name: &str, stock: Value) -> String {
        let price = json!({ "amount_minor": 1_000, "currency": "KRW" });
        let body = json!({ "name": name, "price": price, "stock": stock });
        self.post(format!("/v1/stores/{}/items", self.slug)).by(self.staff()).json(body).await.is(201).id()
    }

    /// A reservation that stands.
    pub(crate) async fn reserved(&self, customer: &str, body: Value) -> String {
        let asked = self.post("/v1/rentals").by(format!("customer:{customer}")).waiting_s(20).json(body);
        let reply = asked.await.is(201);
        assert_eq!(reply["status"], "confirmed", "{}", reply.text);
        reply.id()
    }

    /// The staff's next step with a rental, not sent yet.
    pub(crate) fn step(&self, rental: &str, step: &str) -> Request {
        self.post(format!("/v1/rentals/{rental}/{step}")).by(self.staff()).waiting_s(20).json(json!({}))
    }

    /// What a customer says of a rental, not sent yet.
    pub(crate) fn review(&self, method: &str, customer: &str, rental: &str, said: Value) -> Request {
        let request = self.request(method.parse().unwrap(), format!("/v1/rentals/{rental}/review"));
        request.by(format!("customer:{customer}")).json(said)
    }

    /// What the manager's screen shows of an item.
    pub(crate) async fn screen(&self, item: &str) -> Reply {
        self.settled().await;
        self.get(format!("/v1/items/{item}")).by(self.staff()).await.is(200)
    }

    /// What somebody does at the first kiosk, not sent yet: `check-outs`, `returns`.
    pub(crate) fn at_kiosk(&self, what: &str, rental: &str) -> Request {
        let body = json!({ "rental": rental });
        self.post(format!("/v1/kiosks/{}/1/{what}", self.slug)).by(self.kiosk()).waiting_s(1).json(body)
    }

    pub(crate) fn kiosk(&self) -> String {
        format!("kiosk:{}/1", self.slug)
    }

    /// What the first kiosk lists: the rentals' ids with the words for where they stand.
    pub(crate) async fn listed(&self, query: &str) -> Vec<(String, String)> {
        self.settled().await;
        let path = format!("/v1/kiosks/{}/1/reservations{query}", self.slug);
        let lines = self.get(path).by(self.kiosk()).await.is(200).items();
        let text = |line: &Value, member: &str| line[member].as_str().unwrap().to_owned();
        lines.iter().map(|line| (text(line, "rental"), text(line, "status_label"))).collect()
    }

    pub(crate) async fn administered(&self, subscription: &str, what: &str) {
        self.post(format!("/v1/admin/subscriptions/{subscription}/{what}")).by(ADMIN).await.done();
    }

    /// Waits until a rental has got there.
    pub(crate) async fn reaches(&self, rental: &str, status: &str) {
        eventually(&format!("the rental is {status}"), async || {
            let seen = self.get(format!("/v1/rentals/{rental}")).by(self.staff()).await.is(200);
            (seen["status"] == status).then_some(())
        })
        .await;
    }

    /// Every event of a rental's story, as lines.
    pub(crate) async fn transcript(&self, rental: &str) -> String {
        self.settled().await;
        transcript(&self.get(format!("/v1/rentals/{rental}/history")).by(self.staff()).await.is(200).items())
    }

    /// Stops it, and proves that its views are what the journal says.
    pub(crate) async fn closes_its_books(self) {
        let (data, _) = self.server.stop().await;
        data.run(&["verify"]).await.success();
        data.run(&["replay", "--verify"]).await.success();
    }
}

impl Deref for Venue {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}
