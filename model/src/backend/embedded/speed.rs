use std::time::Instant;
use super::*;
use std::path::PathBuf;
use serde_json::json;
use crate::prompt::{Constraint,Speaker,Turn};
fn real_weights()->PathBuf{std::env::var_os("FREEHAND_TEST_GGUF").unwrap().into()}
fn ask(system: &str, user: &str, constraint: Constraint) -> Prompt {
    let turns = vec![Turn::new(Speaker::System, system), Turn::new(Speaker::User, user)];
    Prompt { turns, constraint, max_tokens: 64, ..Prompt::default() }
}
#[tokio::test]
async fn speed() {
    let rss = || std::fs::read_to_string("/proc/self/status").unwrap().lines().filter(|l| l.starts_with("VmHWM")||l.starts_with("Rss")).map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(", ");
    let t = Instant::now();
    let m = Embedded::load(&real_weights()).unwrap();
    eprintln!("load {:?} {}", t.elapsed(), rss());
    let long: String = (0..420).map(|i| format!("item {i} is {}, ", ["red","blue","green"][i % 3])).collect();
    for p in [
        ask("You are terse.", "What is the capital of France?", Constraint::Free),
        ask("You are terse.", "What is the capital of Spain?", Constraint::Free),
        ask("You are terse.", "Write a haiku about the sea, then 😀.", Constraint::Free),
        ask("You are terse.", "Pick a colour of grass", Constraint::OneOf(vec!["red".into(), "green".into(), "dark blue".into()])),
        ask("You are terse.", "Click the button `Save` which has id 7.", Constraint::JsonSchema(json!({"type":"object","properties":{"action":{"enum":["click","type","scroll"]},"id":{"type":"integer","minimum":0,"maximum":40},"done":{"type":"boolean"}},"required":["action","id","done"],"additionalProperties":false}))),
        ask("You are terse.", "Click the button `Save` which has id 7.", Constraint::Lark("start: \"click(\" /[0-9]+/ \")\"".into())),
        ask("You are terse.", &long[..2000], Constraint::Free),
        ask("You are terse.", &long, Constraint::Free),
    ] {
        let c = m.complete(&p, &mut Unread).await.unwrap();
        eprintln!("{:?} {:?}", c.text, c.finish);
        eprintln!("   {:?} prefill {:.1} tok/s decode {:.1} {}", c.usage, (c.usage.prompt - c.usage.reused) as f64 / c.usage.prefill_ms * 1e3, (c.usage.sampled) as f64/ c.usage.decode_ms*1e3, rss());
    }
    let t = Instant::now();
    eprintln!("{:?}", m.choose(&ask("You are terse.", "Is Paris in France? Answer yes or no.", Constraint::Free), &["Yes".into(), "No".into(), "It is not".into()]).await);
    eprintln!("{:?}", t.elapsed());
}

#[test]
fn load_only() {
    for _ in 0..3 {
        let t = Instant::now();
        let g = gguf::Gguf::open(&real_weights()).unwrap();
        let n = network::Network::read(&g, 8192).unwrap();
        let a = t.elapsed();
        n.pack().unwrap();
        let b = t.elapsed();
        let v = Arc::new(vocabulary::Vocabulary::read(&g, n.sizes.vocabulary).unwrap());
        let c = t.elapsed();
        grammar::Grammar::new(&v).unwrap();
        eprintln!("net {a:?} pack {:?} vocab {:?} grammar {:?}", b-a, c-b, t.elapsed()-c);
    }
}
#[test]
fn raw() {
    let g = gguf::Gguf::open(&real_weights()).unwrap();
    let n = network::Network::read(&g, 8192).unwrap();
    n.pack().unwrap();
    let on = || std::ops::ControlFlow::Continue(());
    for len in [512usize, 512, 1500, 3000] {
        let mut b = branch::Branch::new(&n);
        let ids: Vec<u32> = (0..len as u32).map(|i| (i * 7919 + 13) % 50000).collect();
        let t = Instant::now();
        b.read(&n, &ids, network::Wanted::Last, &on).unwrap().unwrap();
        let s = t.elapsed().as_secs_f64();
        let t = Instant::now();
        for i in 0..24 { b.read(&n, &[i + 100], network::Wanted::Last, &on).unwrap().unwrap(); }
        eprint!("prefill {len}: {:.1} tok/s decode after: {:.2} tok/s  batch", len as f64 / s, 24.0 / t.elapsed().as_secs_f64());
        for k in [2usize, 4, 8, 16, 64] {
            b.cut(len);
            let t = Instant::now();
            b.read(&n, &ids[..k], network::Wanted::Last, &on).unwrap().unwrap();
            eprint!("  {k}: {:.0} ms", t.elapsed().as_secs_f64()*1e3);
        }
        eprintln!();
    }
}

#[test]
fn attention_only() {
    use super::attention::*;
    let layout = Layout { group: 6, size: 128 };
    for tokens in [512usize, 1536] {
        let mut c = cache::Cache::new(1, 2, 128);
        let kv: Vec<f32> = (0..tokens * 256).map(|i| ((i as u64 * 7919) % 1000) as f32 / 1000.0 - 0.5).collect();
        c.write(0, &kv, &kv);
        let q: Vec<f32> = (0..256 * 1536).map(|i| ((i as u64 * 7919) % 1000) as f32 / 500.0 - 1.0).collect();
        let mut out = vec![0.0; q.len()];
        let mut best = f64::MAX;
        for _ in 0..30 {
            let t = Instant::now();
            attend(layout, &q, c.heads(0), tokens - 256, &mut out);
            best = best.min(t.elapsed().as_secs_f64());
        }
        let flops = 6144.0 * (0..256).map(|i| (tokens - 256 + i + 1) as f64).sum::<f64>();
        eprintln!("attention {tokens}: {:.2} ms, {:.1} GFLOPS", best * 1e3, flops / best / 1e9);
    }
}
