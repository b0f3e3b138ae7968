//! Telegrams straight from a reader: embedded-io, blocking and async.

use crate::decoder::Decoder;
use crate::error::Error;
use crate::framing::Options;
use crate::telegram::Telegram;
use core::fmt;

/// Why no telegram came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError<E> {
    /// The reader failed; nothing is lost, and the next call goes on.
    Io(E),
    /// Octets were lost; the next call goes on behind them.
    Telegram(Error),
}

impl<E: fmt::Debug> fmt::Display for ReadError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "reading: {error:?}"),
            Self::Telegram(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for ReadError<E> {}

/// A reader of telegrams. Octets are received straight into the decoder's storage.
#[derive(Debug)]
pub struct Reader<R, B> {
    source: R,
    decoder: Decoder<B>,
    ended: bool,
}

impl<R, B: AsRef<[u8]> + AsMut<[u8]>> Reader<R, B> {
    /// Telegrams from `source`, decoded in `storage`, which must not be empty.
    pub const fn new(source: R, storage: B) -> Self {
        Self::with_options(source, storage, Options::DEFAULT)
    }

    /// The same with other options.
    pub const fn with_options(source: R, storage: B, options: Options) -> Self {
        Self { source, decoder: Decoder::with_options(storage, options), ended: false }
    }

    /// The decoder, for its counters.
    pub const fn decoder(&self) -> &Decoder<B> {
        &self.decoder
    }

    fn received(&mut self, n: usize) {
        self.decoder.commit(n);
        self.ended = n == 0;
    }
}

#[cfg(feature = "embedded-io")]
impl<R: embedded_io::Read, B: AsRef<[u8]> + AsMut<[u8]>> Reader<R, B> {
    /// The next telegram; `None` at the end of the input.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn read(&mut self) -> Option<Result<Telegram<'_>, ReadError<R::Error>>> {
        loop {
            match self.decoder.poll(self.ended) {
                Some(Ok(found)) => return Some(Ok(self.decoder.polled(found))),
                Some(Err(error)) => return Some(Err(ReadError::Telegram(error))),
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
impl<R: embedded_io_async::Read, B: AsRef<[u8]> + AsMut<[u8]>> Reader<R, B> {
    /// The next telegram; `None` at the end of the input. May be dropped at any await point without loss.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub async fn read_async(&mut self) -> Option<Result<Telegram<'_>, ReadError<R::Error>>> {
        loop {
            match self.decoder.poll(self.ended) {
                Some(Ok(found)) => return Some(Ok(self.decoder.polled(found))),
                Some(Err(error)) => return Some(Err(ReadError::Telegram(error))),
                None if self.ended => return None,
                None => match self.source.read(self.decoder.spare_mut()).await {
                    Ok(n) => self.received(n),
                    Err(error) => return Some(Err(ReadError::Io(error))),
                },
            }
        }
    }
}
