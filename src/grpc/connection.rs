//! A connection that knows when it retires, so that the streams on it can end with OK in time, and that
//! does not wait for ever for a client that says nothing.
//!
//! KEDA keeps its connection as long as it lives, so new copies of the scaler would get no calls. At
//! its age the server asks the client to leave (GOAWAY): new calls go elsewhere, and what is open stays
//! until it ends.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::OwnedSemaphorePermit,
    time::{Instant, Sleep, sleep},
};
use tonic::transport::server::Connected;

use crate::metrics::Counted;

/// A client that connects and does not begin to speak HTTP/2 is cut off after this time; one that
/// does is asked for signs of life from then on.
const GREETING_DEADLINE: Duration = Duration::from_secs(10);

/// So many bytes begin each connection of HTTP/2 (RFC 9113, 3.4).
const GREETING_BYTES: usize = 24;

/// When a connection retires, if ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionAge {
    pub(super) retires_at: Option<Instant>,
}

/// Bytes in both directions, encrypted or not.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// A connection of KEDA.
pub struct Connection {
    wire: Box<dyn Wire>,
    age_max: Option<Duration>,
    greeting: Option<Greeting>,
    /// Both are given back when the connection ends.
    _place: (OwnedSemaphorePermit, Counted),
}

/// What the client has yet to say before it is taken for one.
struct Greeting {
    missing_bytes: usize,
    deadline: Pin<Box<Sleep>>,
}

impl Connection {
    /// A connection that retires at `age_max`.
    pub(super) fn new(
        wire: impl Wire + 'static,
        age_max: Option<Duration>,
        place: (OwnedSemaphorePermit, Counted),
    ) -> Self {
        Self {
            wire: Box::new(wire),
            age_max,
            greeting: Some(Greeting {
                missing_bytes: GREETING_BYTES,
                deadline: Box::pin(sleep(GREETING_DEADLINE)),
            }),
            _place: place,
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = formatter.debug_struct("Connection");
        fields
            .field("age_max", &self.age_max)
            .finish_non_exhaustive()
    }
}

impl Connected for Connection {
    type ConnectInfo = ConnectionAge;

    /// Asked once, when the connection is about to be served: its age counts from there.
    fn connect_info(&self) -> ConnectionAge {
        ConnectionAge {
            retires_at: self.age_max.map(|age| Instant::now() + age),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.wire).poll_read(context, into);
        let Some(greeting) = &mut self.greeting else {
            return read;
        };
        if read.is_pending() && greeting.deadline.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let bytes = into.filled().len() - before;
        greeting.missing_bytes = greeting.missing_bytes.saturating_sub(bytes);
        if greeting.missing_bytes == 0 {
            self.greeting = None;
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }
}
