//! Something that is used on a thread of its own. A library may wait for an answer of the X server for ever; here that
//! costs a limit, and whoever waits goes on.

use std::io;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

type Order<T> = Box<dyn FnOnce(&mut T) + Send>;

/// A thing on a thread that ends when this is dropped and it has done what it was told.
#[derive(Debug)]
pub(super) struct Aside<T>(Sender<Order<T>>);

impl<T: Send + 'static> Aside<T> {
    /// Puts `thing` aside on a thread called `name`.
    pub(super) fn put(name: &str, mut thing: T) -> io::Result<Self> {
        let (orders, told) = mpsc::channel::<Order<T>>();
        let serve = move || told.iter().for_each(|order| order(&mut thing));
        std::thread::Builder::new().name(name.into()).spawn(serve)?;
        Ok(Self(orders))
    }

    /// What comes of `order`; `None` when that takes longer than `limit`. It is carried out even so, as soon as the thing
    /// is free, and what is ordered after it comes after it.
    pub(super) fn ask<R: Send + 'static>(
        &self,
        limit: Duration,
        order: impl FnOnce(&mut T) -> R + Send + 'static,
    ) -> Option<R> {
        let (gives, result) = mpsc::channel();
        // Who asked may have gone.
        let order: Order<T> = Box::new(move |thing| drop(gives.send(order(thing))));
        self.0.send(order).ok()?;
        result.recv_timeout(limit).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_ever_costs_a_limit() {
        let count = Aside::put("counts", 0).unwrap();
        let add = |count: &mut i32| {
            *count += 1;
            *count
        };
        let (ends, end) = mpsc::channel::<()>();
        let long = Duration::from_secs(10);
        assert_eq!(count.ask(long, add), Some(1));
        let stuck = move |count: &mut i32| {
            let _ = end.recv();
            *count += 10;
        };
        assert_eq!(count.ask(Duration::from_millis(20), stuck), None);
        assert_eq!(count.ask(Duration::from_millis(20), add), None, "it is not free");
        drop(ends);
        assert_eq!(count.ask(long, add), Some(13), "what was ordered is done, in its order");
    }
}
