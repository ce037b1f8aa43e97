//! Clients that leave, and a server that ends.

use super::*;

#[tokio::test]
async fn one_who_leaves_frees_the_engine() {
    for stream in [true, false] {
        let model = Endless::new(5);
        let server = start(model.clone(), settings()).await;
        let body = with(asking("q"), json!({ "stream": stream, "max_tokens": 100_000 }));
        // Two leave while they wait, and one while it is answered.
        let asking = [(); 3].map(|()| {
            let request = server.post("/v1/chat/completions", &body);
            tokio::spawn(async move { request.send().await.unwrap().text().await })
        });
        server.counts("freehand_running 1").await;
        server.counts("freehand_waiting 2").await;
        for client in asking.into_iter().rev() {
            client.abort();
        }
        tokio::time::timeout(Duration::from_secs(5), model.stopped.notified()).await.unwrap();
        server.counts("freehand_running 0").await;
        server.counts("freehand_waiting 0").await;
        let said = model.said.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(model.said.load(Ordering::Relaxed) <= said, "somebody who has gone is answered");
        server.counts("freehand_answers_total{outcome=\"left\"} 1").await;
    }
}

#[tokio::test]
async fn a_choice_ends_with_its_client_and_with_the_server() {
    let model = Endless::new(60_000);
    let short = Settings { grace: Duration::from_millis(100), ..settings() };
    let server = start(model.clone(), short).await;
    let body = with(asking("q"), json!({ "options": ["a", "b"] }));
    let ask = || tokio::spawn(server.post("/v1/choose", &body).send());
    let leaves = ask();
    server.counts("freehand_running 1").await;
    leaves.abort();
    tokio::time::timeout(Duration::from_secs(5), model.stopped.notified()).await.unwrap();
    server.counts("freehand_answers_total{outcome=\"left\"} 1").await;
    let stays = ask();
    server.counts("freehand_running 1").await;
    assert_eq!(server.stop().await, Ended::BrokenOff);
    assert_eq!(stays.await.unwrap().unwrap().status(), 503);
}

#[tokio::test]
async fn ends_with_answers_finished_or_broken_off() {
    let server = start(Endless::new(10), settings()).await;
    let body = with(asking("q"), json!({ "max_tokens": 30 }));
    let client = tokio::spawn(server.post("/v1/chat/completions", &body).send());
    server.counts("freehand_running 1").await;
    let address = server.address;
    assert_eq!(server.stop().await, Ended::Finished);
    assert_eq!(client.await.unwrap().unwrap().status(), 200);
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");

    let short = Settings { grace: Duration::from_millis(100), ..settings() };
    let server = start(Endless::new(10), short).await;
    let body = with(asking("q"), json!({ "stream": true }));
    let response = server.chat(&body).await;
    let waiting = tokio::spawn(server.post("/v1/chat/completions", &body).send());
    server.counts("freehand_waiting 1").await;
    assert_eq!(server.stop().await, Ended::BrokenOff);
    let last = events(response).await.pop().unwrap();
    assert_eq!(last["error"]["code"], "stopping", "{last}");
    assert_eq!(waiting.await.unwrap().unwrap().status(), 503);
}
