//! Streams made by an async function that lives inside them: dropping the stream drops the function where it waits.

use futures_util::{Stream, StreamExt as _, future, stream};
use tokio::sync::mpsc;

/// Where such a function puts its items. Bounded to one: the function waits for the reader.
pub(super) struct Outlet<T>(mpsc::Sender<T>);

impl<T> Outlet<T> {
    pub(super) async fn send(&self, item: T) {
        // The receiver is in the stream that this runs in.
        drop(self.0.send(item).await);
    }
}

pub(super) fn produce<T, F>(make: impl FnOnce(Outlet<T>) -> F) -> impl Stream<Item = T> + Send + 'static
where
    T: Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(1);
    let work = stream::once(make(Outlet(sender))).filter_map(|()| future::ready(None));
    let items = stream::unfold(receiver, |mut receiver| async move {
        let item = receiver.recv().await?;
        Some((item, receiver))
    });
    stream::select(items, work)
}
