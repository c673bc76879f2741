//! TLS: the name in the URL is whom the receiver has to prove to be, to whatever address the name leads.

use super::*;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::net::SocketAddr;
use std::sync::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use uuid::Uuid;

const AUTHORITY: &[u8] = include_bytes!("tests/authority.pem");
/// Of `told.example.org`, by that authority.
const CERTIFICATE: &[u8] = include_bytes!("tests/certificate.pem");
const KEY: &[u8] = include_bytes!("tests/key.pem");

struct Loopback;

impl Resolver for Loopback {
    fn resolve(&self, _: String) -> Resolving {
        Box::pin(async { Ok(vec![[127, 0, 0, 1].into()]) })
    }
}

/// `told.example.org`, and what it was sent.
async fn receiver() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let certificates = vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .unwrap();
    let (acceptor, listener) = (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let (address, sent) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<String>>>::default());
    let kept = sent.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut read = vec![0; 65_536];
            let length = stream.read(&mut read).await.unwrap_or_default();
            kept.lock().unwrap().push(String::from_utf8_lossy(&read[..length]).into_owned());
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        }
    });
    (address, sent)
}

fn trusting_the_authority(allowed: Allowed) -> WebhookCourier {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(AUTHORITY).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tls = HttpsConnectorBuilder::new().with_tls_config(config);
    WebhookCourier::over(tls, secret_of(), allowed, Arc::new(Loopback))
}

fn secret_of() -> SecretOf {
    Arc::new(|_| Secret::new("whsec_of_a_test"))
}

fn parcel(host: &str, address: SocketAddr) -> Parcel {
    Parcel {
        webhook: WebhookId(Uuid::from_u128(1)),
        url: format!("https://{host}:{}/told", address.port()),
        event: Uuid::from_u128(2),
        position: 42,
        body: r#"{"type":"RentalConfirmed"}"#.to_owned(),
    }
}

#[tokio::test]
async fn only_who_proves_to_be_whom_the_url_names_is_told() {
    let (address, sent) = receiver().await;
    let allowed: Allowed = [address].into_iter().collect();
    let no_connection = Carried::Refused { reason: "no connection".to_owned() };

    let courier = WebhookCourier::new(secret_of(), allowed.clone(), Arc::new(Loopback));
    assert_eq!(
        courier.carry(parcel("told.example.org", address)).await,
        no_connection,
        "an authority that nobody knows"
    );
    let courier = trusting_the_authority(allowed);
    assert_eq!(courier.carry(parcel("other.example.org", address)).await, no_connection, "another's certificate");
    assert!(sent.lock().unwrap().is_empty());

    assert_eq!(courier.carry(parcel("told.example.org", address)).await, Carried::Taken);
    let sent = sent.lock().unwrap();
    let host = format!("host: told.example.org:{}\r\n", address.port());
    assert!(sent.len() == 1 && sent[0].starts_with("POST /told HTTP/1.1\r\n") && sent[0].contains(&host), "{sent:?}");
}
