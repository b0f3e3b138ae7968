//! Solving GF(2) generations: which column has which row in the caller's RAM, the rows in scratch flash, so that several generations can be
//! under way and a reset loses no row.
//!
//! RAM and scratch flash are laid out in [`matrix`] and [`log`].

mod log;
mod matrix;
mod solve;

use super::store::xor_from;
use super::{Outcome, Receiver};
use crate::bitmap::BlockMap;
use crate::coding::{GENERATIONS_MAX, RowBlocks};
use crate::flash::FlashError;
use crate::hash::Hash256;
use crate::message::{Phase, Row};
use crate::session::Plane;
use embedded_storage::nor_flash::NorFlash;
use log::COLUMNS;
use matrix::{BITS_MAX, Bits, Matrix, NO_SLOT, rows_for, set_word, word};
use solve::Solve;

/// Rows of another cut into generations, one after the other, until it is believed.
const INSIST: u8 = 4;

#[derive(Debug)]
pub(crate) struct Coder {
    /// Of which the rows are; the data's are taken only once manifest and tags are there.
    plane: Plane,
    generations: u8,
    /// The generation in RAM.
    loaded: Option<u8>,
    columns: u16,
    rank: u16,
    solve: Solve,
    /// How often the log started over, modulo 64.
    start: u8,
    /// Next free scratch slot.
    next: u16,
    /// The end of the log was looked for since the reset.
    found: bool,
    /// Rows of this cut are in the log.
    kept: bool,
    last_row: u64,
    /// Another number of generations that rows came with, and how many in a row.
    other: (u8, u8),
    /// Rows lacking, by generation; `UNKNOWN` until it was loaded.
    deficits: [u16; GENERATIONS_MAX as usize],
}

/// A generation that was not loaded yet.
const UNKNOWN: u16 = u16::MAX - 1;
/// A generation that cannot be solved.
const VOID: u16 = u16::MAX;

impl Coder {
    pub(crate) const fn new() -> Self {
        Coder {
            plane: Plane::Meta,
            generations: 0,
            loaded: None,
            columns: 0,
            rank: 0,
            solve: Solve::Open,
            start: 0,
            next: 0,
            found: false,
            kept: false,
            last_row: 0,
            other: (0, 0),
            deficits: [UNKNOWN; GENERATIONS_MAX as usize],
        }
    }

    pub(crate) const fn reset(&mut self) {
        *self = Coder::new();
    }

    /// Forgets the rows, those in the log too.
    const fn discard(&mut self) {
        let (plane, start) = (self.plane, self.start.wrapping_add(1) & 0x3F);
        self.reset();
        self.plane = plane;
        self.start = start;
        self.found = true;
    }

    fn note(&mut self, generation: u8, deficit: u16) {
        if let Some(place) = self.deficits.get_mut(usize::from(generation)) {
            *place = deficit;
        }
    }

    fn noted(&self, generation: u8) -> u16 {
        self.deficits.get(usize::from(generation)).copied().unwrap_or(VOID)
    }

    /// No generation lacks a row.
    fn is_full(&self) -> bool {
        self.generations > 0
            && self.deficits.iter().take(self.generations.into()).all(|&deficit| deficit == 0)
    }
}

impl<F: NorFlash, M: BlockMap<F>, H: Hash256, R: AsMut<[u8]>, const B: usize> Receiver<F, M, H, R, B> {
    /// How many missing blocks of a generation there is memory for.
    pub(super) fn rows(&mut self) -> u16 {
        if self.store.layout.scratch.len == 0 { 0 } else { rows_for(self.ram.as_mut().len()) }
    }

    /// Rows of the plane before are of no use any more: what is received now starts its own log.
    fn follow(&mut self) {
        let plane = self.store.plane();
        if self.coder.plane != plane {
            self.coder.reset();
            self.coder.plane = plane;
        }
    }

    /// Takes a coded row. Like one of the data, one of manifest and tags is kept before it can be checked; what is solved from them is checked
    /// as if it had come by itself, up to the digest in the initiate message.
    pub(super) fn coded(
        &mut self,
        plane: Plane,
        row: &Row,
        data: &[u8],
        now: u64,
    ) -> Result<Outcome, FlashError> {
        self.follow();
        // Without tags nothing would tell a wrong solution from a right one before the whole image is checked.
        if plane != self.coder.plane
            || !self.store.geometry.tagged()
            || row.generations == 0
            || row.generations > GENERATIONS_MAX
            || data.len() != usize::from(self.store.geometry.block())
            || self.rows() == 0
        {
            return Ok(Outcome::Unusable);
        }
        self.coder.last_row = now;
        if self.coder.generations != 0 && self.coder.generations != row.generations {
            // One frame must not void what many have brought: only a concentrator that keeps at it is believed.
            let (cut, times) = self.coder.other;
            let times = if cut == row.generations { times.saturating_add(1) } else { 1 };
            self.coder.other = (row.generations, times);
            if times < INSIST {
                return Ok(Outcome::Unusable);
            }
        }
        self.coder.other = (0, 0);
        if self.coder.generations == row.generations && self.coder.is_full() {
            return Ok(Outcome::Duplicate);
        }
        if !self.load(row.generation, row.generations)? {
            return Ok(Outcome::Unusable);
        }
        if self.coder.rank >= self.coder.columns || self.coder.noted(row.generation) == VOID {
            return Ok(Outcome::Duplicate);
        }
        let mut bits = Bits([0; BITS_MAX]);
        let Some(sum) = self.buffer.get_mut(..data.len()) else { return Ok(Outcome::Unusable) };
        sum.copy_from_slice(data);
        let count = self.store.geometry.count(plane);
        let Some(matrix) = Matrix::new(self.ram.as_mut()) else { return Ok(Outcome::Unusable) };
        for index in RowBlocks::new(count, row) {
            if self.store.has_block(index)? {
                self.store.xor_into(self.store.unit(index), sum)?;
            } else if let Some(column) = matrix.find(index, self.coder.columns) {
                bits.flip(column);
            } else {
                // Missing now and not when the columns were listed: the block was forgotten since. Start over.
                self.coder.discard();
                return Ok(Outcome::Unusable);
            }
        }
        self.reduce(row, bits)
    }

    /// Reduces the row in the buffer by those there are; keeps what is left under its last column. So the column before all others is solved
    /// first, and of manifest and tags each block before those that it vouches for.
    fn reduce(&mut self, row: &Row, mut bits: Bits) -> Result<Outcome, FlashError> {
        let Some(shape) = self.shape() else { return Ok(Outcome::Unusable) };
        let block = usize::from(self.store.geometry.block());
        let base = self.store.layout.scratch.start;
        let columns = self.coder.columns;
        for column in (0..columns).rev() {
            if !bits.get(column) {
                continue;
            }
            let Some(matrix) = Matrix::new(self.ram.as_mut()) else { return Ok(Outcome::Unusable) };
            let slot = word(matrix.slots, column);
            if slot == NO_SLOT {
                return self.keep(row, column, &bits);
            }
            self.xor_bits(&shape, slot, column, &mut bits)?;
            let Some(sum) = self.buffer.get_mut(..block) else { return Ok(Outcome::Unusable) };
            let at = base.wrapping_add(shape.stride.wrapping_mul(slot.into())).wrapping_add(shape.data);
            xor_from(&mut self.store.flash, at, self.store.geometry.block().into(), sum)?;
        }
        Ok(Outcome::Duplicate)
    }

    fn keep(&mut self, row: &Row, pivot: u16, bits: &Bits) -> Result<Outcome, FlashError> {
        let Some(slot) = self.append(row.generation, pivot, &bits.0)? else {
            // The log is full: what is missing of this generation has to come another way.
            self.coder.note(row.generation, VOID);
            return Ok(Outcome::Unusable);
        };
        let columns = self.coder.columns;
        let Some(matrix) = Matrix::new(self.ram.as_mut()) else { return Ok(Outcome::Unusable) };
        self.coder.kept = true;
        set_word(matrix.slots, pivot, slot);
        self.coder.rank = self.coder.rank.saturating_add(1);
        self.coder.note(row.generation, columns.saturating_sub(self.coder.rank));
        Ok(Outcome::Row)
    }

    /// Brings a generation into RAM: from the log, or new.
    fn load(&mut self, generation: u8, generations: u8) -> Result<bool, FlashError> {
        if self.coder.generations == generations && self.coder.loaded == Some(generation) {
            return Ok(true);
        }
        let Some(shape) = self.shape() else { return Ok(false) };
        if self.coder.generations != generations {
            let fresh = !self.coder.found && self.adopt(&shape, generations)?;
            if !fresh {
                // Another cut into generations: what was kept for the one before is of no use.
                self.coder.discard();
                self.coder.generations = generations;
            }
            self.coder.found = true;
        }
        self.coder.loaded = None;
        self.coder.solve = Solve::Open;
        self.coder.rank = 0;
        let rows = self.rows();
        let Some(matrix) = Matrix::new(self.ram.as_mut()) else { return Ok(false) };
        for at in 0..matrix.rows {
            set_word(matrix.slots, at, NO_SLOT);
        }
        let mut listed = false;
        for slot in 0..self.coder.next {
            let Some(entry) = self.entry(&shape, slot, false)? else { continue };
            if entry.generation != generation
                || entry.generations != generations
                || entry.start != self.coder.start
                || entry.columns > rows
            {
                continue;
            }
            if entry.pivot == COLUMNS {
                self.read_columns(&shape, slot, entry.columns)?;
                listed = true;
            } else if listed && entry.pivot < entry.columns {
                let Some(matrix) = Matrix::new(self.ram.as_mut()) else { return Ok(false) };
                set_word(matrix.slots, entry.pivot, slot);
                self.coder.rank = self.coder.rank.saturating_add(1);
            }
        }
        if listed && !self.covers(generation)? {
            self.coder.discard();
            self.coder.generations = generations;
            return self.load(generation, generations);
        }
        if !listed && !self.list_columns(generation, generations, rows)? {
            return Ok(false);
        }
        self.coder.loaded = Some(generation);
        self.count_known()?;
        if self.coder.noted(generation) != VOID {
            self.coder.note(generation, self.coder.columns.saturating_sub(self.coder.rank));
        }
        Ok(true)
    }

    /// A block received or solved by other ways since the columns were listed counts as a solved column.
    fn count_known(&mut self) -> Result<(), FlashError> {
        for column in 0..self.coder.columns {
            let Some(matrix) = Matrix::new(self.ram.as_mut()) else { return Ok(()) };
            let (index, slot) = (word(matrix.columns, column), word(matrix.slots, column));
            if slot == NO_SLOT && self.store.has_block(index)? {
                self.coder.rank = self.coder.rank.saturating_add(1);
            }
        }
        Ok(())
    }

    /// A sector was erased under blocks that were there: they are in no list of columns.
    pub(super) fn check_forgotten(&mut self) {
        if core::mem::take(&mut self.store.forgot) {
            self.coder.discard();
        }
    }

    /// Whether every missing block of a generation is among the columns; after a reset the log may be older than the map.
    fn covers(&mut self, generation: u8) -> Result<bool, FlashError> {
        let (generations, columns) = (u16::from(self.coder.generations), self.coder.columns);
        let Some(matrix) = Matrix::new(self.ram.as_mut()) else { return Ok(false) };
        let mut all = true;
        self.store.each_missing_block(&mut |index| {
            all = index.checked_rem(generations) != Some(generation.into())
                || matrix.find(index, columns).is_some();
            all
        })?;
        Ok(all)
    }

    /// A block came by another way than rows: its column needs none any more.
    pub(super) fn known_column(&mut self, plane: Plane, index: u16) {
        if self.coder.plane != plane {
            return;
        }
        let Some(generation) = index.checked_rem(self.coder.generations.into()) else { return };
        let Ok(generation) = u8::try_from(generation) else { return };
        if self.coder.loaded != Some(generation) {
            if self.coder.noted(generation) != VOID {
                self.coder.note(generation, UNKNOWN);
            }
            return;
        }
        let columns = self.coder.columns;
        let Some(matrix) = Matrix::new(self.ram.as_mut()) else { return };
        if matrix.find(index, columns).is_some_and(|column| word(matrix.slots, column) == NO_SLOT) {
            self.coder.rank = self.coder.rank.saturating_add(1);
            if self.coder.noted(generation) != VOID {
                self.coder.note(generation, columns.saturating_sub(self.coder.rank));
            }
        }
    }

    /// Lists the missing blocks of a generation and writes the list to the log. `false`: too many.
    fn list_columns(&mut self, generation: u8, generations: u8, rows: u16) -> Result<bool, FlashError> {
        let Some(matrix) = Matrix::new(self.ram.as_mut()) else { return Ok(false) };
        let mut columns = 0u16;
        self.store.each_missing_block(&mut |index| {
            if index.checked_rem(generations.into()) == Some(generation.into()) {
                set_word(matrix.columns, columns, index);
                columns = columns.saturating_add(1);
            }
            columns < rows.saturating_add(1)
        })?;
        if columns > rows {
            return Ok(false);
        }
        self.coder.columns = columns;
        if columns == 0 {
            return Ok(true);
        }
        // Each column needs a row in the log, and the list a place before them.
        let free = self.shape().map_or(0, |shape| shape.slots).saturating_sub(self.coder.next);
        if columns >= free {
            return Ok(false);
        }
        // The row being worked on is in the frame still; the buffer is free for the list, which is cut into entries if it is long.
        let words = usize::from(self.store.geometry.block() / 2);
        let mut from = 0u16;
        while from < columns {
            let Some(matrix) = Matrix::new(self.ram.as_mut()) else { return Ok(false) };
            self.buffer.fill(0xFF);
            let list = matrix.columns.get(usize::from(from).saturating_mul(2)..).unwrap_or(&[]);
            let len = usize::from(columns.saturating_sub(from)).min(words).saturating_mul(2);
            for (to, octet) in self.buffer.iter_mut().zip(list.iter().take(len)) {
                *to = *octet;
            }
            let mut part = [0u8; BITS_MAX];
            let [high, low] = from.to_be_bytes();
            if let Some([a, b, ..]) = part.first_chunk_mut::<2>() {
                (*a, *b) = (high, low);
            }
            if self.append(generation, COLUMNS, &part)?.is_none() {
                return Ok(false);
            }
            from = from.saturating_add(u16::try_from(words).unwrap_or(u16::MAX));
        }
        Ok(true)
    }

    /// Rows that generation `generation` still lacks.
    fn deficit(&mut self, generation: u8) -> Result<u16, FlashError> {
        let noted = self.coder.noted(generation);
        if noted != UNKNOWN {
            return Ok(noted);
        }
        if !self.load(generation, self.coder.generations)? {
            // More than there is memory for now; that may change.
            return Ok(VOID);
        }
        Ok(self.coder.noted(generation))
    }

    /// Rows lacking of each generation; a meter without rows takes the cut into `cut` generations that the question names.
    pub(super) fn deficits(&mut self, cut: u16) -> Result<[u16; GENERATIONS_MAX as usize], FlashError> {
        self.follow();
        let unused = self.coder.generations == 0 || !self.coder.kept;
        if unused
            && let Some(cut) = u8::try_from(cut).ok().filter(|&cut| cut > 0 && cut <= GENERATIONS_MAX)
            && cut != self.coder.generations
            && self.phase == Phase::Receiving
            && self.rows() > 0
        {
            self.load(0, cut)?;
        }
        let mut words = [0u16; GENERATIONS_MAX as usize];
        if self.store.missing(self.coder.plane) > 0 {
            for (generation, deficit) in (0..self.coder.generations).zip(&mut words) {
                *deficit = self.deficit(generation)?;
            }
        }
        Ok(words)
    }

    /// How many generations the image is cut into.
    pub(super) fn generations(&self) -> usize {
        self.coder.generations.into()
    }
}
