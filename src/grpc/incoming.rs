//! New connections: accepted one by one, encrypted where that is asked for, and never more than there
//! is room for. A handshake that is slow or fails holds up nobody else.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{sleep, timeout},
};
use tokio_stream::wrappers::ReceiverStream;

use super::connection::Connection;
use crate::{
    metrics::{Counted, Metrics},
    tls::TlsFeed,
};

/// Within one data center a handshake takes milliseconds.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);

/// The pause after the system could not accept, mostly because all file descriptors are taken.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections that are ready and not yet served.
const READY_MAX: usize = 16;

/// Who may connect, and for how long.
#[derive(Debug)]
pub struct Doors {
    /// None for connections without TLS.
    pub tls: Option<TlsFeed>,
    /// A connection retires at this age, if ever.
    pub age_max: Option<Duration>,
    /// No more connections at once.
    pub connections_max: usize,
    /// Counts them.
    pub metrics: Arc<Metrics>,
}

type Accepted = io::Result<Connection>;

impl Doors {
    /// The connections that come in, until the stream is dropped, which also closes the port.
    pub fn open(self, listener: TcpListener) -> ReceiverStream<Accepted> {
        let (sender, receiver) = mpsc::channel(READY_MAX);
        tokio::spawn(Arc::new(self).accept_all(listener, sender));
        ReceiverStream::new(receiver)
    }

    async fn accept_all(self: Arc<Self>, listener: TcpListener, ready: mpsc::Sender<Accepted>) {
        let places = Arc::new(Semaphore::new(self.connections_max));
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = ready.closed() => return,
            };
            let Ok((stream, _)) = accepted else {
                sleep(ACCEPT_PAUSE).await;
                continue;
            };
            match Arc::clone(&places).try_acquire_owned() {
                Ok(place) => {
                    let place = (place, self.metrics.connection_opened());
                    tokio::spawn(Arc::clone(&self).welcome(stream, place, ready.clone()));
                }
                Err(_) => self.metrics.connection_refused("too many"),
            }
        }
    }

    async fn welcome(
        self: Arc<Self>,
        stream: TcpStream,
        place: (OwnedSemaphorePermit, Counted),
        ready: mpsc::Sender<Accepted>,
    ) {
        // Answers are small, and KEDA waits for each. Where it cannot be set, they are only later.
        let _ = stream.set_nodelay(true);
        let connection = match &self.tls {
            None => Connection::new(stream, self.age_max, place),
            Some(tls) => match timeout(HANDSHAKE_DEADLINE, tls.accept(stream)).await {
                Ok(Ok(stream)) => Connection::new(stream, self.age_max, place),
                Ok(Err(error)) => return self.refuse(&error),
                Err(late) => return self.refuse(&late.into()),
            },
        };
        // Without a receiver the port is being closed.
        let _ = ready.send(Ok(connection)).await;
    }

    fn refuse(&self, cause: &io::Error) {
        if cause.kind() == io::ErrorKind::UnexpectedEof {
            // A probe that only looks whether the port is open.
            return tracing::debug!("a client left before its TLS handshake");
        }
        self.metrics.connection_refused("TLS handshake");
        tracing::info!("a TLS handshake failed: {cause}");
    }
}
