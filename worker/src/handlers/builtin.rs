//! The handler that the worker was told to use.

use std::sync::Arc;

use aws_config::SdkConfig;

use super::{Command, Handler, HandlerError, Http, Print, S3, Takes};
use crate::message::Message;
use crate::settings::HandlerSettings;
use crate::web::Web;

/// One of those that come with the worker.
#[derive(Debug)]
pub enum Builtin {
    Print(Print),
    /// Done at once: the pretended work before it was all.
    Idle,
    Command(Command),
    Http(Http),
    S3(S3),
}

impl Builtin {
    /// Makes ready what the handler needs; asks nothing of anybody yet.
    pub fn prepare(settings: HandlerSettings, aws: &SdkConfig) -> Result<Self, HandlerError> {
        Ok(match settings {
            HandlerSettings::Print => Self::Print(Print),
            HandlerSettings::Sleep => Self::Idle,
            HandlerSettings::Command {
                program,
                arguments,
                takes,
            } => Self::Command(Command {
                program,
                arguments,
                takes,
            }),
            HandlerSettings::Http { url, timeout } => Self::Http(Http {
                web: Web::new()?,
                url: url.parse()?,
                timeout,
            }),
            HandlerSettings::S3(place) => Self::S3(S3::new(Web::new()?, aws, &place)?),
        })
    }
}

impl Handler for Builtin {
    async fn handle(&self, message: Arc<Message>) -> Result<(), HandlerError> {
        match self {
            Self::Print(handler) => handler.handle(message).await,
            Self::Idle => Ok(()),
            Self::Command(handler) => handler.handle(message).await,
            Self::Http(handler) => handler.handle(message).await,
            Self::S3(handler) => handler.handle(message).await,
        }
    }

    fn takes(&self) -> Takes {
        match self {
            Self::Command(handler) => handler.takes(),
            Self::Print(_) | Self::Idle | Self::Http(_) | Self::S3(_) => Takes::Message,
        }
    }

    async fn handle_batch(&self, messages: Vec<Arc<Message>>) -> Vec<Result<(), HandlerError>> {
        match self {
            Self::Print(handler) => handler.handle_batch(messages).await,
            Self::Idle => messages.iter().map(|_| Ok(())).collect(),
            Self::Command(handler) => handler.handle_batch(messages).await,
            Self::Http(handler) => handler.handle_batch(messages).await,
            Self::S3(handler) => handler.handle_batch(messages).await,
        }
    }
}
