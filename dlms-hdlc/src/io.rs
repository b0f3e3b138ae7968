//! Frames straight from a reader: embedded-io, blocking and async.

use crate::decoder::{Decoder, Framing};
use crate::error::Error;
use core::fmt;

/// Why no frame came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError<E> {
    /// The reader failed; nothing is lost, and the next call goes on.
    Io(E),
    /// Octets were given up; the next call goes on behind them.
    Frame(Error),
}

impl<E: fmt::Debug> fmt::Display for ReadError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "reading: {error:?}"),
            Self::Frame(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for ReadError<E> {}

/// A reader of frames. Octets are received straight into the decoder's storage.
#[derive(Debug)]
pub struct Reader<R, F, B> {
    source: R,
    decoder: Decoder<F, B>,
    ended: bool,
}

impl<R, F: Framing, B: AsRef<[u8]> + AsMut<[u8]>> Reader<R, F, B> {
    /// Frames from `source`, decoded in `storage`.
    pub const fn new(source: R, storage: B) -> Self {
        Self { source, decoder: Decoder::new(storage), ended: false }
    }

    /// The decoder, for its counters.
    pub const fn decoder(&self) -> &Decoder<F, B> {
        &self.decoder
    }

    /// The decoder, to [`finish`](Decoder::finish) it when the line is idle.
    pub const fn decoder_mut(&mut self) -> &mut Decoder<F, B> {
        &mut self.decoder
    }

    /// The reader back; what the decoder holds is lost.
    pub fn into_inner(self) -> R {
        self.source
    }

    fn due(&mut self) -> Option<Result<usize, Error>> {
        if self.ended { self.decoder.last() } else { self.decoder.due() }
    }

    fn received(&mut self, n: usize) {
        self.decoder.commit(n);
        self.ended = n == 0;
    }
}

#[cfg(feature = "embedded-io")]
impl<R: embedded_io::Read, F: Framing, B: AsRef<[u8]> + AsMut<[u8]>> Reader<R, F, B> {
    /// The next frame; `None` at the end of the input.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn read(&mut self) -> Option<Result<F::Frame<'_>, ReadError<R::Error>>> {
        loop {
            match self.due() {
                Some(Ok(len)) => return Some(Ok(self.decoder.stored(len))),
                Some(Err(error)) => return Some(Err(ReadError::Frame(error))),
                None if self.ended => return None,
                None => match self.source.read(self.decoder.spare_mut()) {
                    Ok(n) => self.received(n),
                    Err(error) => return Some(Err(ReadError::Io(error))),
                },
            }
        }
    }
}

#[cfg(feature = "embedded-io-async")]
impl<R: embedded_io_async::Read, F: Framing, B: AsRef<[u8]> + AsMut<[u8]>> Reader<R, F, B> {
    /// The next frame; `None` at the end of the input. May be dropped at any await point without loss.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn read_async(&mut self) -> Option<Result<F::Frame<'_>, ReadError<R::Error>>> {
        loop {
            match self.due() {
                Some(Ok(len)) => return Some(Ok(self.decoder.stored(len))),
                Some(Err(error)) => return Some(Err(ReadError::Frame(error))),
                None if self.ended => return None,
                None => match self.source.read(self.decoder.spare_mut()).await {
                    Ok(n) => self.received(n),
                    Err(error) => return Some(Err(ReadError::Io(error))),
                },
            }
        }
    }
}
