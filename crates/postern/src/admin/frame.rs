//! One JSON value on a stream: four bytes of length, big-endian, then that many bytes.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use zeroize::Zeroizing;

/// The longest frame, in bytes: a mail template with two bodies of 1 MiB, quoted as JSON.
pub(super) const LONGEST: usize = 1 << 23;

/// Writes `value` as one frame.
///
/// # Errors
/// The stream fails, or the value is longer than [`LONGEST`].
pub(super) async fn write<T: Serialize>(
    stream: &mut (impl AsyncWrite + Unpin),
    value: &T,
) -> io::Result<()> {
    let json = Zeroizing::new(serde_json::to_vec(value)?);
    let length = u32::try_from(json.len())
        .ok()
        .filter(|_| json.len() <= LONGEST)
        .ok_or(io::ErrorKind::InvalidInput)?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(&json).await?;
    stream.flush().await
}

/// Reads one frame.
///
/// # Errors
/// The stream fails or ends, the frame is too long, or is not a `T`.
pub(super) async fn read<T: DeserializeOwned>(
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<T> {
    let length = stream.read_u32().await? as usize;
    if length > LONGEST {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the frame is too long",
        ));
    }
    let mut json = Zeroizing::new(vec![0; length]);
    stream.read_exact(&mut json).await?;
    // The parser's own message may quote a value.
    serde_json::from_slice(&json)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "the frame is not understood"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_frame_reads_back_and_one_past_the_bound_is_refused_before_it_is_read() {
        let (mut near, mut far) = tokio::io::duplex(64);
        write(&mut near, &"hello").await.expect("the stream stands");
        assert_eq!(
            read::<String>(&mut far).await.expect("the stream stands"),
            "hello"
        );
        near.write_u32(u32::MAX).await.expect("the stream stands");
        assert_eq!(
            read::<String>(&mut far).await.expect_err("too long").kind(),
            io::ErrorKind::InvalidData
        );
    }
}
