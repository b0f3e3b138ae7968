//! Frames straight from a reader: embedded-io, blocking and async.

use core::fmt;

use crate::decoder::Decoder;
use crate::error::Error;
use crate::frame::Frame;
use crate::machine::Found;

/// Why no frame came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
pub struct Reader<R, B> {
    source: R,
    decoder: Decoder<B>,
    ended: bool,
}

impl<R, B: AsRef<[u8]> + AsMut<[u8]>> Reader<R, B> {
    /// Frames from `source`, decoded in `storage`.
    pub const fn new(source: R, storage: B) -> Self {
        Self { source, decoder: Decoder::new(storage), ended: false }
    }

    /// The decoder, for its counters.
    pub const fn decoder(&self) -> &Decoder<B> {
        &self.decoder
    }

    /// The source back; what is held is lost.
    pub fn into_source(self) -> R {
        self.source
    }

    fn due(&mut self) -> Option<Result<Found<'static>, Error>> {
        self.decoder.due(self.ended)
    }

    fn received(&mut self, n: usize) {
        self.decoder.commit(n);
        self.ended = n == 0;
    }

    fn event<E>(&self, found: Result<Found<'static>, Error>) -> Result<Frame<'_>, ReadError<E>> {
        found.map(|found| self.decoder.frame(found)).map_err(ReadError::Frame)
    }
}

#[cfg(feature = "embedded-io")]
impl<R: embedded_io::Read, B: AsRef<[u8]> + AsMut<[u8]>> Reader<R, B> {
    /// The next frame; `None` at the end of the input.
    ///
    /// # Errors
    /// [`ReadError`]; reading can go on after either.
    pub fn read_frame(&mut self) -> Option<Result<Frame<'_>, ReadError<R::Error>>> {
        let found = loop {
            if let Some(found) = self.due() {
                break found;
            }
            if self.ended {
                return None;
            }
            match self.source.read(self.decoder.spare_mut()) {
                Ok(n) => self.received(n),
                Err(error) => return Some(Err(ReadError::Io(error))),
            }
        };
        Some(self.event(found))
    }
}

#[cfg(feature = "embedded-io-async")]
impl<R: embedded_io_async::Read, B: AsRef<[u8]> + AsMut<[u8]>> Reader<R, B> {
    /// The next frame; `None` at the end of the input. May be dropped at its one await and called again.
    ///
    /// # Errors
    /// [`ReadError`]; reading can go on after either.
    pub async fn read_frame_async(&mut self) -> Option<Result<Frame<'_>, ReadError<R::Error>>> {
        let found = loop {
            if let Some(found) = self.due() {
                break found;
            }
            if self.ended {
                return None;
            }
            match self.source.read(self.decoder.spare_mut()).await {
                Ok(n) => self.received(n),
                Err(error) => return Some(Err(ReadError::Io(error))),
            }
        };
        Some(self.event(found))
    }
}
