//! A connection that knows when it retires, so that the streams on it can end with OK in time.
//!
//! KEDA keeps its connection as long as it lives, so new copies of the scaler would get no calls. At
//! its age the server asks the client to leave (GOAWAY): new calls go elsewhere, and what is open stays
//! until it ends.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Instant,
};
use tonic::transport::server::Connected;

/// When a connection retires, if ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionAge {
    pub(super) retires_at: Option<Instant>,
}

/// A connection of KEDA.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    age_max: Option<Duration>,
}

impl Connection {
    /// A connection that retires at `age_max`.
    pub fn new(stream: TcpStream, age_max: Option<Duration>) -> Self {
        Self { stream, age_max }
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
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
