//! A tonic server with the same contract whose answers are constant: what gRPC itself costs.

use std::pin::Pin;

use sluice::{
    grpc::proto::{
        GetMetricSpecResponse, GetMetricsRequest, GetMetricsResponse, IsActiveResponse, MetricSpec,
        MetricValue, ScaledObjectRef,
        external_scaler_server::{ExternalScaler, ExternalScalerServer},
    },
    shutdown,
};
use tokio::{net::TcpListener, process::Command};
use tokio_stream::Stream;
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};

use super::scaler::{Scaler, served_by};

/// What every queue has.
pub(crate) const MESSAGES: i64 = 7;

/// What both servers are asked about.
const METRIC: &str = "aws-sqs-orders-0";

struct Constant;

type Messages<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl ExternalScaler for Constant {
    async fn is_active(
        &self,
        _request: Request<ScaledObjectRef>,
    ) -> Result<Response<IsActiveResponse>, Status> {
        Ok(Response::new(IsActiveResponse { result: true }))
    }

    async fn get_metric_spec(
        &self,
        _request: Request<ScaledObjectRef>,
    ) -> Result<Response<GetMetricSpecResponse>, Status> {
        let spec = MetricSpec {
            metric_name: METRIC.to_owned(),
            target_size: 5,
            target_size_float: 5.0,
        };
        Ok(Response::new(GetMetricSpecResponse {
            metric_specs: vec![spec],
        }))
    }

    async fn get_metrics(
        &self,
        _request: Request<GetMetricsRequest>,
    ) -> Result<Response<GetMetricsResponse>, Status> {
        let value = MetricValue {
            metric_name: METRIC.to_owned(),
            metric_value: MESSAGES,
            metric_value_float: 7.0,
        };
        Ok(Response::new(GetMetricsResponse {
            metric_values: vec![value],
        }))
    }

    type StreamIsActiveStream = Messages<IsActiveResponse>;

    async fn stream_is_active(
        &self,
        _request: Request<ScaledObjectRef>,
    ) -> Result<Response<Self::StreamIsActiveStream>, Status> {
        Err(Status::unimplemented("no stream is measured here"))
    }

    type StreamMetricSpecStream = Messages<GetMetricSpecResponse>;

    async fn stream_metric_spec(
        &self,
        _request: Request<ScaledObjectRef>,
    ) -> Result<Response<Self::StreamMetricSpecStream>, Status> {
        Err(Status::unimplemented("no stream is measured here"))
    }
}

/// Serves until it is told to stop.
pub(crate) async fn serve() {
    let stop = shutdown::on_signal().expect("signals");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    #[allow(clippy::print_stderr, reason = "as the scaler says it")]
    let say = || eprintln!("serving grpc={address}");
    say();
    Server::builder()
        .add_service(ExternalScalerServer::new(Constant))
        .serve_with_incoming_shutdown(
            TcpIncoming::from(listener).with_nodelay(Some(true)),
            stop.cancelled_owned(),
        )
        .await
        .expect("an end");
}

/// The bare server, started by `before` with its arguments: a way to pin it, to count, or nothing.
pub(crate) async fn given_bare(before: &[&str]) -> Scaler {
    let this = std::env::current_exe().expect("a path");
    let this = this.to_str().expect("a path in UTF-8");
    served_by(command(before, this, &["bare"])).await
}

/// `program` with `arguments`, on one thread, started by `before`.
pub(crate) fn command(before: &[&str], program: &str, arguments: &[&str]) -> Command {
    let words = [before, &[program], arguments].concat();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).env("TOKIO_WORKER_THREADS", "1");
    command
}
