//! The two ways in, behind one call.

use std::net::SocketAddr;

use bytes::Bytes;
use http::HeaderValue;

use crate::{
    bodies::{self, Verb},
    grpc, http1,
};

/// Which way calls take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Door {
    /// JSON over HTTP/1.1.
    Rest,
    /// gRPC over HTTP/2 without TLS.
    Grpc,
}

/// How bodies are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Json,
    Protobuf,
}

/// What a call came to: the body of a success, or the code of a refusal.
pub(crate) type Outcome = Result<Bytes, String>;

/// One kept connection through either door.
pub(crate) enum Connection {
    Rest(http1::Connection),
    Grpc(grpc::Connection),
}

impl Door {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rest => "REST",
            Self::Grpc => "gRPC",
        }
    }

    pub(crate) fn encoding(self) -> Encoding {
        match self {
            Self::Rest => Encoding::Json,
            Self::Grpc => Encoding::Protobuf,
        }
    }

    pub(crate) async fn open(self, address: SocketAddr) -> anyhow::Result<Connection> {
        Ok(match self {
            Self::Rest => Connection::Rest(http1::Connection::open(address).await?),
            Self::Grpc => Connection::Grpc(grpc::Connection::open(address).await?),
        })
    }
}

impl Connection {
    /// One call. `authorization` is empty for the token endpoint.
    ///
    /// # Errors
    /// When the connection breaks or the peer does not speak the protocol; a refusal is an
    /// outcome.
    pub(crate) async fn call(
        &mut self,
        verb: Verb,
        authorization: &HeaderValue,
        body: &[u8],
    ) -> anyhow::Result<Outcome> {
        match self {
            Self::Rest(connection) => {
                let head = http1::Head {
                    method: "POST",
                    path: verb.rest_path(),
                    content_type: content_type(verb),
                    authorization: authorization.to_str()?,
                };
                let answer = connection.call(&head, body).await?;
                Ok(match answer.status {
                    200 => Ok(Bytes::copy_from_slice(answer.body)),
                    status => Err(bodies::rest_error_code(status, answer.body)),
                })
            }
            Self::Grpc(connection) => {
                let answer = connection
                    .call(verb.grpc_path(), authorization, body)
                    .await?;
                Ok(match answer.code {
                    0 => Ok(answer.message),
                    code => Err(bodies::grpc_error_code(code, &answer.trailers)),
                })
            }
        }
    }
}

fn content_type(verb: Verb) -> &'static str {
    match verb {
        Verb::Token => "application/x-www-form-urlencoded",
        Verb::Send | Verb::Resend | Verb::Verify => "application/json",
    }
}
