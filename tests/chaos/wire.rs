//! A TCP connection that can be broken in the ways that networks break, and that leads to the first server that listens.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What becomes of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Whole,
    /// New connections are closed at once, old ones too.
    Refusing,
    /// Connections stay open, and nothing comes through them, now or later.
    HalfOpen,
}

#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    state: watch::Sender<State>,
    connections: Arc<AtomicU64>,
}

impl Wire {
    /// To the first of these that takes a connection, as a Service leads to the copies that live.
    pub(crate) async fn to(targets: Vec<SocketAddr>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let wire = Self {
            address: listener.local_addr().unwrap(),
            state: watch::Sender::new(State::Whole),
            connections: Arc::default(),
        };
        tokio::spawn(wire.clone().accept(listener, targets));
        wire
    }

    pub(crate) fn become_(&self, state: State) {
        self.state.send_replace(state);
    }

    /// Made so far, whether anything came through or not.
    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    async fn accept(self, listener: TcpListener, targets: Vec<SocketAddr>) {
        while let Ok((near, _)) = listener.accept().await {
            self.connections.fetch_add(1, Ordering::Relaxed);
            let (targets, state) = (targets.clone(), self.state.subscribe());
            tokio::spawn(lead(near, targets, state));
        }
    }
}

async fn lead(mut near: TcpStream, targets: Vec<SocketAddr>, mut state: watch::Receiver<State>) {
    let passing = async {
        for target in targets {
            if let Ok(mut far) = TcpStream::connect(target).await {
                let _ = copy_bidirectional(&mut near, &mut far).await;
                return;
            }
        }
    };
    let broken = tokio::select! {
        // Of a wire that is broken not even what happens to be ready comes through.
        biased;
        state = state.wait_for(|state| *state != State::Whole) => *state.unwrap(),
        () = passing => return,
    };
    if broken == State::HalfOpen {
        // It never says anything again.
        std::future::pending::<()>().await;
    }
}
