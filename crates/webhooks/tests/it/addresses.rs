//! Where deliveries are never sent, whatever name leads there.

use std::collections::HashMap;

use inlet_source::Egress;
use inlet_store::catalog::{DeliveryError, DeliveryState, Reply};

use crate::fixture::{FixedNames, Fixture, Setup};
use crate::receiver::Receiver;

async fn fixture(egress: Egress) -> Fixture {
    let names = HashMap::from([
        ("metadata.test", vec!["169.254.169.254"]),
        ("metadata6.test", vec!["fd00:ec2::254"]),
        ("near.test", vec!["127.0.0.1"]),
        ("mixed.test", vec!["169.254.169.254", "127.0.0.1"]),
        ("far.test", vec!["93.184.216.34"]),
        ("nowhere.test", vec![]),
    ]);
    Fixture::with(Setup { egress, names: FixedNames(names), ..Setup::default() }).await
}

/// What comes of a delivery to this URL.
async fn reply(fixture: &Fixture, url: &str) -> Reply {
    let (webhook, _) = fixture.webhook(url).await;
    let answer = fixture.courier.test(&webhook).await.unwrap();
    fixture.event().await;
    let failed = fixture.until_failed(&webhook, 1).await;
    assert_eq!(failed[0].last_answer.as_ref().unwrap().reply, answer.reply, "{url}");
    fixture.catalog.webhook_delete(&webhook.space_id, webhook.id, fixture.given.now()).await.unwrap();
    answer.reply
}

#[tokio::test]
async fn a_metadata_address_is_never_reached_even_if_a_name_leads_there() {
    let fixture = fixture(Egress::Any).await;
    for host in ["169.254.169.254", "[fd00:ec2::254]", "0xa9fea9fe", "metadata.test", "metadata6.test"] {
        for scheme in ["http", "https"] {
            let found = reply(&fixture, &format!("{scheme}://{host}/latest")).await;
            assert_eq!(found, Reply::Failed(DeliveryError::AddressRefused), "{scheme} {host}");
        }
    }
}

#[tokio::test]
async fn under_public_egress_neither_this_machine_nor_its_neighbours_are_reached() {
    let fixture = fixture(Egress::Public).await;
    for host in ["127.0.0.1", "10.0.0.1", "[::1]", "near.test", "mixed.test"] {
        let found = reply(&fixture, &format!("https://{host}/")).await;
        assert_eq!(found, Reply::Failed(DeliveryError::AddressRefused), "{host}");
    }
}

#[tokio::test]
async fn without_tls_nothing_leaves_the_private_networks() {
    let fixture = fixture(Egress::Any).await;
    for host in ["93.184.216.34", "far.test"] {
        let found = reply(&fixture, &format!("http://{host}/")).await;
        assert_eq!(found, Reply::Failed(DeliveryError::TlsRequired), "{host}");
    }
}

#[tokio::test]
async fn a_name_is_connected_only_to_those_of_its_addresses_that_may_be_reached() {
    let fixture = fixture(Egress::Any).await;
    let mut target = Receiver::start().await;
    for host in ["near.test", "mixed.test"] {
        let (webhook, _) = fixture.webhook(&format!("http://{host}:{}/hook", target.port())).await;
        fixture.event().await;
        let received = target.next().await;
        assert_eq!(received.header("host"), format!("{host}:{}", target.port()));
        fixture.until_state(&webhook, DeliveryState::Delivered).await;
        fixture.catalog.webhook_delete(&webhook.space_id, webhook.id, fixture.given.now()).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_from_what_is_refused() {
    let fixture = fixture(Egress::Any).await;
    let target = Receiver::start().await;
    let unused = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    for (url, error) in [
        ("http://nowhere.test/".to_owned(), DeliveryError::NameNotResolved),
        ("http://unknown.test/".to_owned(), DeliveryError::NameNotResolved),
        (format!("http://{unused}/"), DeliveryError::ConnectFailed),
        (format!("https://127.0.0.1:{}/", target.port()), DeliveryError::TlsFailed),
        ("ftp://127.0.0.1/".to_owned(), DeliveryError::UrlRefused),
    ] {
        assert_eq!(reply(&fixture, &url).await, Reply::Failed(error), "{url}");
    }
}
