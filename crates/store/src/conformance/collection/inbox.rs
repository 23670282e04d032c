//! The inbox: pushes wait in order, and leave it in the commit that brings their records.

use inlet_model::mask::{MaskMethod, MaskPath, Masking};

use super::given::{Given, name};
use super::items::{WHOLE, inbox_taken, put};
use crate::collection::{InboxItem, Push};

/// What was pushed waits as it was pushed, in order, after a restart too.
pub async fn pushes_wait_as_they_were_pushed(given: Given) {
    let connector = given.connector();
    let mut expected = Vec::new();
    let masked: Masking = [(MaskPath::parse("/ü/\"").unwrap(), MaskMethod::Drop)].into_iter().collect();
    for (lines, key_fields, masking) in [
        (b"{\"a\":1}\n".to_vec(), vec!["a".to_owned()], Masking::default()),
        (vec![0, 255, b'\n'], Vec::new(), masked),
        (Vec::new(), vec!["b".to_owned(), "ü".to_owned()], Masking::default()),
        (vec![b'x'; 3 << 20], Vec::new(), Masking::default()),
    ] {
        let push = Push {
            key_fields: key_fields.clone(),
            masking: masking.clone(),
            ..given.a_push(connector, "s", &lines)
        };
        let crate::collection::PushEffect::Stored { seq } = given.store.push(push).await.unwrap() else {
            panic!("nothing is in the way")
        };
        expected.push(InboxItem { seq, key_fields, masking, lines });
    }
    let given = given.reopened().await;
    let inbox = given.inbox(connector).await;
    assert_eq!(inbox.len(), 1);
    assert_eq!(inbox[0].0, "s");
    assert!(inbox[0].1 == expected);
}

/// The streams that have pushes waiting are listed by name, each once.
pub async fn streams_with_pushes_are_listed_by_name(given: Given) {
    let connector = given.connector();
    for stream in ["m", "z", "a", "m", "B"] {
        given.pushed(connector, stream, b"{}").await;
    }
    given.pushed(given.connector(), "other", b"{}").await;
    let streams = given.store.inbox_streams(connector).await.unwrap();
    assert_eq!(streams, ["B", "a", "m", "z"].map(name));
    assert_eq!(given.store.inbox_streams(given.connector()).await.unwrap(), []);
}

/// They are read from behind any place, a bounded number of bytes at a time but at least one.
pub async fn pushes_are_read_in_bounded_pages(given: Given) {
    let connector = given.connector();
    let mut places = Vec::new();
    for _ in 0..10 {
        places.push(given.pushed(connector, "s", &[b'x'; 1_000]).await);
        given.pushed(connector, "t", &[b'y'; 1_000]).await;
    }
    let stream = name("s");
    let one = given.store.inbox_after(connector, &stream, 0, 1).await.unwrap();
    assert_eq!(one.iter().map(|item| item.seq).collect::<Vec<_>>(), places[..1]);
    let mut seen = Vec::new();
    for _ in 0..=10 {
        let after = seen.last().copied().unwrap_or(0);
        let page = given.store.inbox_after(connector, &stream, after, 3_000).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 5, "a page holds about as many bytes as it may");
        seen.extend(page.into_iter().map(|item| item.seq));
    }
    assert_eq!(seen, places);
    assert_eq!(given.store.inbox_after(connector, &stream, places[9], 1).await.unwrap(), []);
}

/// A commit takes the stream's pushes up to the one it names, and no others.
pub async fn a_commit_takes_pushes_up_to_the_one_it_names(given: Given) {
    let (connector, other) = (given.connector(), given.connector());
    let mut places = Vec::new();
    for _ in 0..3 {
        given.pushed(other, "s", b"{}").await;
        given.pushed(connector, "t", b"{}").await;
        places.push(given.pushed(connector, "s", b"{}").await);
    }
    let sync = given.begun(connector, &["s", "t"]).await;
    let items = vec![given.records("s", WHOLE, &[put(1, "a")]), inbox_taken("s", places[1])];
    given.commit(&sync, items).await;
    let waiting = |inbox: &[(String, Vec<InboxItem>)]| {
        inbox.iter().map(|(stream, items)| (stream.clone(), items.len())).collect::<Vec<_>>()
    };
    assert_eq!(waiting(&given.inbox(connector).await), [("s".to_owned(), 1), ("t".to_owned(), 3)]);
    assert_eq!(given.inbox(connector).await[0].1[0].seq, places[2]);
    assert_eq!(waiting(&given.inbox(other).await), [("s".to_owned(), 3)]);
    given.commit(&sync, vec![inbox_taken("s", places[2])]).await;
    let given = given.reopened().await;
    assert_eq!(given.store.inbox_streams(connector).await.unwrap(), [name("t")]);
    assert_eq!(given.ids("s").await, [1]);
}

/// What is pushed while a sync takes what came before stays for the next.
pub async fn what_comes_while_a_sync_takes_stays(given: Given) {
    let connector = given.connector();
    let taken = given.pushed(connector, "s", b"{}").await;
    let sync = given.begun(connector, &["s"]).await;
    let (late, ()) = tokio::join!(given.pushed(connector, "s", b"late"), async {
        given.commit(&sync, vec![inbox_taken("s", taken)]).await;
    });
    let inbox = given.inbox(connector).await;
    assert_eq!(inbox[0].1.iter().map(|item| item.seq).collect::<Vec<_>>(), [late]);
}
