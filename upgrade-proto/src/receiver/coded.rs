//! Solving GF(2) generations: a triangular matrix in the caller's RAM, rows in scratch flash, so that several generations can be under way
//! and a reset loses no row.
//!
//! RAM: `columns u16 * l | slots u16 * l | triangle l (l + 1) / 2 bits`. Scratch: a log of entries of `32 + l / 8 + block` octets at most, each
//! `magic u16 | generation u8 | generations u8 | pivot u16 | columns u16 | bits | data | CRC-32 u32`; the check value comes last, so a torn
//! entry is none.

use super::store::{Open, xor_from};
use super::{Outcome, Put, Receiver, Work};
use crate::bitmap::BlockMap;
use crate::coding::{GENERATIONS_MAX, RowBlocks};
use crate::flash::{self, CHUNK, FlashError};
use crate::hash::{CRC_START, Hash256, crc_end, crc_step};
use crate::message::{Phase, Row};
use crate::session::{Plane, Session};
use embedded_storage::nor_flash::NorFlash;

/// Missing blocks of one generation that `ram` octets have room for: two u16 each and the triangle.
#[must_use]
pub(super) const fn rows_for(ram: usize) -> u16 {
    let mut rows = 0u16;
    while rows < 1023 && size_for(rows.saturating_add(1)) <= ram {
        rows = rows.saturating_add(1);
    }
    rows
}

const fn size_for(rows: u16) -> usize {
    let l = rows as usize;
    l.saturating_mul(4).saturating_add(l.saturating_mul(l.saturating_add(1)).div_ceil(16))
}

/// Time without a coded row after which a full generation is solved, in milliseconds.
const QUIET: u64 = 600;
/// Rows of another cut into generations, one after the other, until it is believed.
const INSIST: u8 = 4;
const NO_SLOT: u16 = u16::MAX;
/// Octets of an entry before its bits: `magic u16 | generation u8 | generations u8 | pivot u16 | columns u16`.
const HEAD: usize = 8;
/// `COLUMNS` as pivot marks the list of columns instead of a row.
const COLUMNS: u16 = u16::MAX;
const MAGIC: u16 = 0x5C0D;

/// Marks the log entries of one session, lest those of another be taken for its own after a reset.
fn magic(open: &Open) -> u16 {
    let [a, b, c, d] = open.record.session.image.to_be_bytes();
    MAGIC ^ open.record.session.id ^ u16::from_be_bytes([a, b]) ^ u16::from_be_bytes([c, d])
}
/// Most octets of a row's bits.
const BITS_MAX: usize = 128;

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Solve {
    /// Rows come in.
    Open,
    /// Back substitution, next this column.
    At(u16),
}

#[derive(Debug)]
pub(crate) struct Coder {
    generations: u8,
    /// The generation in RAM.
    loaded: Option<u8>,
    columns: u16,
    rank: u16,
    solve: Solve,
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
            generations: 0,
            loaded: None,
            columns: 0,
            rank: 0,
            solve: Solve::Open,
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
        self.reset();
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
}

/// Views of the caller's RAM for `rows` columns.
struct Matrix<'r> {
    columns: &'r mut [u8],
    slots: &'r mut [u8],
    triangle: &'r mut [u8],
    rows: u16,
}

fn word(octets: &[u8], at: u16) -> u16 {
    let from = usize::from(at).saturating_mul(2);
    octets.get(from..).and_then(<[u8]>::first_chunk).map_or(NO_SLOT, |word| u16::from_le_bytes(*word))
}

fn set_word(octets: &mut [u8], at: u16, value: u16) {
    let from = usize::from(at).saturating_mul(2);
    if let Some(word) = octets.get_mut(from..).and_then(<[u8]>::first_chunk_mut) {
        *word = value.to_le_bytes();
    }
}

impl<'r> Matrix<'r> {
    fn new(ram: &'r mut [u8]) -> Option<Self> {
        let rows = rows_for(ram.len());
        let words = usize::from(rows).saturating_mul(2);
        let (columns, rest) = ram.split_at_mut_checked(words)?;
        let (slots, triangle) = rest.split_at_mut_checked(words)?;
        Some(Matrix { columns, slots, triangle, rows })
    }

    /// Bit of row `row` (pivot `row`) at column `column >= row`.
    fn place(&self, row: u16, column: u16) -> Option<(usize, u8)> {
        let (r, l) = (usize::from(row), usize::from(self.rows));
        // Rows before have l, l - 1, … bits.
        let before = r.saturating_mul(l).saturating_sub(r.saturating_mul(r.saturating_sub(1)) >> 1);
        let bit = before.saturating_add(usize::from(column.checked_sub(row)?));
        Some((bit >> 3, 0x80u8 >> (bit & 7)))
    }

    fn bit(&self, row: u16, column: u16) -> bool {
        self.place(row, column)
            .is_some_and(|(at, mask)| self.triangle.get(at).is_some_and(|octet| octet & mask != 0))
    }

    fn set_bit(&mut self, row: u16, column: u16, one: bool) {
        if let Some((at, mask)) = self.place(row, column)
            && let Some(octet) = self.triangle.get_mut(at)
        {
            *octet = if one { *octet | mask } else { *octet & !mask };
        }
    }

    fn find(&self, index: u16, columns: u16) -> Option<u16> {
        // The list rises.
        let (mut low, mut high) = (0u16, columns);
        while low < high {
            let middle = low.midpoint(high);
            match word(self.columns, middle).cmp(&index) {
                core::cmp::Ordering::Equal => return Some(middle),
                core::cmp::Ordering::Less => low = middle.saturating_add(1),
                core::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}

/// Bits of a row being reduced, one a column.
struct Bits([u8; BITS_MAX]);

impl Bits {
    fn get(&self, at: u16) -> bool {
        self.0.get(usize::from(at >> 3)).is_some_and(|octet| octet & (0x80u8 >> (at & 7)) != 0)
    }
    fn flip(&mut self, at: u16) {
        if let Some(octet) = self.0.get_mut(usize::from(at >> 3)) {
            *octet ^= 0x80u8 >> (at & 7);
        }
    }
}

/// Where things are in an entry of the log.
#[derive(Copy, Clone)]
struct Shape {
    stride: u32,
    bits: usize,
    data: u32,
    slots: u16,
}

impl<F: NorFlash, M: BlockMap<F>, H: Hash256, R: AsMut<[u8]>, const B: usize> Receiver<F, M, H, R, B> {
    /// How many missing blocks of a generation there is memory for.
    pub(super) fn rows(&mut self) -> u16 {
        if self.config.layout.scratch.len == 0 { 0 } else { rows_for(self.ram.as_mut().len()) }
    }

    fn shape(&mut self, open: &Open) -> Option<Shape> {
        let bits = usize::from(self.rows().div_ceil(8)).min(BITS_MAX).next_multiple_of(16);
        let unit = F::WRITE_SIZE.max(16);
        let data = HEAD.saturating_add(bits).next_multiple_of(unit);
        let all = data.saturating_add(open.geometry.block().into()).saturating_add(4).next_multiple_of(unit);
        let stride = u32::try_from(all).ok()?;
        let slots = self.config.layout.scratch.len.checked_div(stride)?;
        Some(Shape {
            stride,
            bits,
            data: u32::try_from(data).ok()?,
            slots: u16::try_from(slots).unwrap_or(NO_SLOT),
        })
    }

    fn slot_at(&self, shape: &Shape, slot: u16) -> u32 {
        self.config.layout.scratch.start.wrapping_add(shape.stride.wrapping_mul(slot.into()))
    }

    /// Takes a coded row.
    pub(super) fn coded(
        &mut self,
        session: Session,
        row: &Row,
        data: &[u8],
        now: u64,
    ) -> Result<Outcome, FlashError> {
        if !self.receiving(session) {
            return Ok(Outcome::Ignored);
        }
        let Some(open) = self.open else { return Ok(Outcome::Ignored) };
        // Without tags nothing would tell a wrong solution from a right one before the whole image is checked.
        if open.missing_meta > 0
            || !open.geometry.tagged()
            || row.generations == 0
            || row.generations > GENERATIONS_MAX
            || data.len() != usize::from(open.geometry.block())
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
        if !self.load(&open, row.generation, row.generations)? {
            return Ok(Outcome::Unusable);
        }
        if self.coder.rank >= self.coder.columns || self.coder.noted(row.generation) == VOID {
            return Ok(Outcome::Duplicate);
        }
        let mut bits = Bits([0; BITS_MAX]);
        let Some(sum) = self.buffer.get_mut(..data.len()) else { return Ok(Outcome::Unusable) };
        sum.copy_from_slice(data);
        let count = open.geometry.count(Plane::Data);
        let Some(matrix) = Matrix::new(self.ram.as_mut()) else { return Ok(Outcome::Unusable) };
        for index in RowBlocks::new(count, row) {
            if self.store.has(&open, Plane::Data, index)? {
                self.store.xor_into(&open, Plane::Data, index, sum)?;
            } else if let Some(column) = matrix.find(index, self.coder.columns) {
                bits.flip(column);
            } else {
                // Missing now and not when the columns were listed: the block was forgotten since. Start over.
                self.coder.discard();
                return Ok(Outcome::Unusable);
            }
        }
        self.reduce(&open, row, bits)
    }

    /// Reduces the row in the buffer by those there are; keeps what is left under its first column.
    fn reduce(&mut self, open: &Open, row: &Row, mut bits: Bits) -> Result<Outcome, FlashError> {
        let Some(shape) = self.shape(open) else { return Ok(Outcome::Unusable) };
        let block = usize::from(open.geometry.block());
        let base = self.config.layout.scratch.start;
        let columns = self.coder.columns;
        for column in 0..columns {
            if !bits.get(column) {
                continue;
            }
            let (Some(matrix), Some(sum)) = (Matrix::new(self.ram.as_mut()), self.buffer.get_mut(..block))
            else {
                return Ok(Outcome::Unusable);
            };
            let slot = word(matrix.slots, column);
            if slot == NO_SLOT {
                return self.keep(open, row, column, &bits);
            }
            for other in column..columns {
                if matrix.bit(column, other) {
                    bits.flip(other);
                }
            }
            let at = base.wrapping_add(shape.stride.wrapping_mul(slot.into())).wrapping_add(shape.data);
            xor_from(&mut self.store.flash, at, open.geometry.block().into(), sum)?;
        }
        Ok(Outcome::Duplicate)
    }

    fn keep(&mut self, open: &Open, row: &Row, pivot: u16, bits: &Bits) -> Result<Outcome, FlashError> {
        let Some(slot) = self.append(open, row.generation, pivot, &bits.0)? else {
            return Ok(Outcome::Unusable);
        };
        let columns = self.coder.columns;
        let Some(mut matrix) = Matrix::new(self.ram.as_mut()) else { return Ok(Outcome::Unusable) };
        self.coder.kept = true;
        set_word(matrix.slots, pivot, slot);
        for column in pivot..columns {
            matrix.set_bit(pivot, column, bits.get(column));
        }
        self.coder.rank = self.coder.rank.saturating_add(1);
        self.coder.note(row.generation, columns.saturating_sub(self.coder.rank));
        Ok(Outcome::Row)
    }

    /// Writes an entry to the log: head, bits, the buffer's octets, check value. `None`: the log is full.
    fn append(
        &mut self,
        open: &Open,
        generation: u8,
        pivot: u16,
        bits: &[u8],
    ) -> Result<Option<u16>, FlashError> {
        let Some(shape) = self.shape(open) else { return Ok(None) };
        let slot = self.coder.next;
        if slot >= shape.slots {
            return Ok(None);
        }
        let at = self.slot_at(&shape, slot);
        self.erase_ahead(at, shape.stride)?;
        let ([m, n], [p, q]) = (magic(open).to_be_bytes(), pivot.to_be_bytes());
        let [c, d] = self.coder.columns.to_be_bytes();
        let mut head = [0xFFu8; HEAD + BITS_MAX];
        for (to, from) in head.iter_mut().zip([m, n, generation, self.coder.generations, p, q, c, d]) {
            *to = from;
        }
        let bits = bits.get(..shape.bits).unwrap_or(bits);
        head.get_mut(HEAD..).and_then(|to| to.get_mut(..bits.len())).ok_or(FlashError)?.copy_from_slice(bits);
        let head = head.get(..HEAD.saturating_add(bits.len())).ok_or(FlashError)?;
        let block = open.geometry.block();
        let data = self.buffer.get(..usize::from(block)).ok_or(FlashError)?;
        let crc = crc_end(crc_step(crc_step(CRC_START, head), data));
        flash::program(&mut self.store.flash, at, head)?;
        let at = at.wrapping_add(shape.data);
        flash::program(&mut self.store.flash, at, data)?;
        flash::program(&mut self.store.flash, at.wrapping_add(block.into()), &crc.to_be_bytes())?;
        self.coder.next = slot.saturating_add(1);
        Ok(Some(slot))
    }

    /// Erases the sectors an entry reaches into that the log has not reached yet.
    fn erase_ahead(&mut self, at: u32, stride: u32) -> Result<(), FlashError> {
        let sector = u32::try_from(F::ERASE_SIZE).map_err(|_| FlashError)?;
        let start = self.config.layout.scratch.start;
        let reached = at.wrapping_sub(start).div_ceil(sector).saturating_mul(sector);
        let mut next = start.wrapping_add(reached);
        while next < at.saturating_add(stride) {
            flash::erase_sector(&mut self.store.flash, next, true)?;
            next = next.saturating_add(sector);
        }
        Ok(())
    }

    /// Head of a log entry whose check value is right.
    fn entry(
        &mut self,
        open: &Open,
        shape: &Shape,
        slot: u16,
        whole: bool,
    ) -> Result<Option<Entry>, FlashError> {
        let at = self.slot_at(shape, slot);
        let mut head = [0u8; HEAD + BITS_MAX];
        let head = head.get_mut(..HEAD.saturating_add(shape.bits)).ok_or(FlashError)?;
        flash::read(&mut self.store.flash, at, head)?;
        let Some(&[m, n, generation, generations, p, q, c, d]) = head.first_chunk::<HEAD>() else {
            return Ok(None);
        };
        if u16::from_be_bytes([m, n]) != magic(open) {
            return Ok(None);
        }
        if whole {
            let mut state = crc_step(CRC_START, head);
            let data = at.wrapping_add(shape.data);
            flash::scan(&mut self.store.flash, data, open.geometry.block().into(), &mut |part| {
                state = crc_step(state, part);
                true
            })?;
            let mut crc = [0u8; 4];
            flash::read(&mut self.store.flash, data.wrapping_add(open.geometry.block().into()), &mut crc)?;
            if crc_end(state) != u32::from_be_bytes(crc) {
                return Ok(None);
            }
        }
        let mut bits = Bits([0; BITS_MAX]);
        for (to, from) in bits.0.iter_mut().zip(head.iter().skip(HEAD)) {
            *to = *from;
        }
        let (pivot, columns) = (u16::from_be_bytes([p, q]), u16::from_be_bytes([c, d]));
        Ok(Some(Entry { generation, generations, pivot, columns, bits }))
    }

    /// Brings a generation into RAM: from the log, or new.
    fn load(&mut self, open: &Open, generation: u8, generations: u8) -> Result<bool, FlashError> {
        if self.coder.generations == generations && self.coder.loaded == Some(generation) {
            return Ok(true);
        }
        let Some(shape) = self.shape(open) else { return Ok(false) };
        if self.coder.generations != generations {
            let fresh = !self.coder.found && self.adopt(open, &shape, generations)?;
            if !fresh {
                // Another cut into generations: what was kept for the one before is of no use.
                self.coder.reset();
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
        matrix.triangle.fill(0);
        let mut listed = false;
        for slot in 0..self.coder.next {
            let Some(entry) = self.entry(open, &shape, slot, false)? else { continue };
            if entry.generation != generation || entry.generations != generations || entry.columns > rows {
                continue;
            }
            if entry.pivot == COLUMNS {
                self.read_columns(open, &shape, slot, entry.columns)?;
                listed = true;
            } else if listed && entry.pivot < entry.columns {
                let Some(mut matrix) = Matrix::new(self.ram.as_mut()) else { return Ok(false) };
                set_word(matrix.slots, entry.pivot, slot);
                for column in entry.pivot..entry.columns {
                    matrix.set_bit(entry.pivot, column, entry.bits.get(column));
                }
                self.coder.rank = self.coder.rank.saturating_add(1);
            }
        }
        if listed && !self.covers(open, generation)? {
            self.coder.discard();
            self.coder.generations = generations;
            return self.load(open, generation, generations);
        }
        if !listed && !self.list_columns(open, generation, generations, rows)? {
            return Ok(false);
        }
        self.coder.loaded = Some(generation);
        self.count_known(open)?;
        if self.coder.noted(generation) != VOID {
            self.coder.note(generation, self.coder.columns.saturating_sub(self.coder.rank));
        }
        Ok(true)
    }

    /// After a reset: the log's end, if it is of this cut into generations.
    fn adopt(&mut self, open: &Open, shape: &Shape, generations: u8) -> Result<bool, FlashError> {
        self.coder.reset();
        let mut slot = 0;
        while slot < shape.slots {
            match self.entry(open, shape, slot, true)? {
                Some(entry) if entry.generations == generations => slot = slot.saturating_add(1),
                _ => break,
            }
        }
        self.coder.generations = generations;
        if slot > 0 {
            self.coder.kept = true;
            // The sector after the last whole entry may be half written or half erased: the log goes on in a fresh one.
            let sector = u32::try_from(F::ERASE_SIZE).map_err(|_| FlashError)?;
            let base = self.config.layout.scratch.start;
            let torn = self.slot_at(shape, slot).wrapping_sub(base).saturating_add(shape.stride);
            let fresh = torn.div_ceil(sector).saturating_mul(sector);
            let floor = |at: u32| at.wrapping_sub(at.checked_rem(sector).unwrap_or(0));
            while slot < shape.slots && floor(self.slot_at(shape, slot).wrapping_sub(base)) < fresh {
                slot = slot.saturating_add(1);
            }
            let at = floor(self.slot_at(shape, slot).wrapping_sub(base));
            if slot < shape.slots && at.saturating_add(sector) <= self.config.layout.scratch.len {
                flash::erase_sector(&mut self.store.flash, base.wrapping_add(at), true)?;
            }
            self.coder.next = slot;
        }
        Ok(slot > 0)
    }

    /// A block received or solved by other ways since the columns were listed counts as a solved column.
    fn count_known(&mut self, open: &Open) -> Result<(), FlashError> {
        for column in 0..self.coder.columns {
            let Some(matrix) = Matrix::new(self.ram.as_mut()) else { return Ok(()) };
            let (index, slot) = (word(matrix.columns, column), word(matrix.slots, column));
            if slot == NO_SLOT && self.store.has(open, Plane::Data, index)? {
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
    fn covers(&mut self, open: &Open, generation: u8) -> Result<bool, FlashError> {
        let (generations, columns) = (u16::from(self.coder.generations), self.coder.columns);
        let Some(matrix) = Matrix::new(self.ram.as_mut()) else { return Ok(false) };
        let mut all = true;
        self.store.missing(open, Plane::Data, 0, &mut |index| {
            all = index.checked_rem(generations) != Some(generation.into())
                || matrix.find(index, columns).is_some();
            all
        })?;
        Ok(all)
    }

    /// A block came by another way than rows: its column needs none any more.
    pub(super) fn known_column(&mut self, index: u16) {
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
    fn list_columns(
        &mut self,
        open: &Open,
        generation: u8,
        generations: u8,
        rows: u16,
    ) -> Result<bool, FlashError> {
        let Some(matrix) = Matrix::new(self.ram.as_mut()) else { return Ok(false) };
        let mut columns = 0u16;
        self.store.missing(open, Plane::Data, 0, &mut |index| {
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
        // The row being worked on is in the frame still; the buffer is free for the list, which is cut into entries if it is long.
        let words = usize::from(open.geometry.block() / 2);
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
            if self.append(open, generation, COLUMNS, &part)?.is_none() {
                return Ok(false);
            }
            from = from.saturating_add(u16::try_from(words).unwrap_or(u16::MAX));
        }
        Ok(true)
    }

    fn read_columns(
        &mut self,
        open: &Open,
        shape: &Shape,
        slot: u16,
        columns: u16,
    ) -> Result<(), FlashError> {
        let at = self.slot_at(shape, slot);
        let mut from = [0u8; 2];
        flash::read(&mut self.store.flash, at.wrapping_add(8), &mut from)?;
        let from = usize::from(u16::from_be_bytes(from));
        let words = usize::from(open.geometry.block() / 2).min(usize::from(columns).saturating_sub(from));
        let Some(matrix) = Matrix::new(self.ram.as_mut()) else { return Ok(()) };
        let to = from.saturating_mul(2)..from.saturating_add(words).saturating_mul(2);
        let Some(list) = matrix.columns.get_mut(to) else { return Ok(()) };
        for (part, at) in list.chunks_mut(CHUNK).zip((at.wrapping_add(shape.data)..).step_by(CHUNK)) {
            flash::read(&mut self.store.flash, at, part)?;
        }
        self.coder.columns = columns;
        Ok(())
    }

    /// Rows that generation `generation` still lacks.
    fn deficit(&mut self, open: &Open, generation: u8) -> Result<u16, FlashError> {
        let noted = self.coder.noted(generation);
        if noted != UNKNOWN {
            return Ok(noted);
        }
        if !self.load(open, generation, self.coder.generations)? {
            // More than there is memory for now; that may change.
            return Ok(VOID);
        }
        Ok(self.coder.noted(generation))
    }

    /// Writes the deficits into the buffer; a meter without rows takes the cut into `cut` generations that the question names.
    pub(super) fn deficits(&mut self, cut: u16, limit: usize) -> Result<usize, FlashError> {
        let Some(open) = self.open else { return Ok(0) };
        let unused = self.coder.generations == 0 || !self.coder.kept;
        if unused
            && let Some(cut) = u8::try_from(cut).ok().filter(|&cut| cut > 0 && cut <= GENERATIONS_MAX)
            && cut != self.coder.generations
            && self.phase == Phase::Receiving
            && self.rows() > 0
        {
            self.load(&open, 0, cut)?;
        }
        let generations = self.coder.generations;
        // Loading uses the buffer for a new list, so the answer is put together first.
        let mut words = [0u16; GENERATIONS_MAX as usize];
        for (generation, deficit) in (0..generations).zip(&mut words) {
            *deficit = if open.missing_data == 0 { 0 } else { self.deficit(&open, generation)? };
        }
        let mut len = 0usize;
        for (to, deficit) in
            self.buffer.chunks_exact_mut(2).zip(words).take(generations.into()).take(limit / 2)
        {
            to.copy_from_slice(&deficit.to_be_bytes());
            len = len.saturating_add(2);
        }
        Ok(len)
    }

    pub(super) fn solving(&self) -> bool {
        self.phase == Phase::Receiving && matches!(self.coder.solve, Solve::At(_))
    }

    /// Solves one column of a full generation, from the last one up, when no row has come for a while.
    pub(super) fn solve(&mut self, now: u64) -> Result<Work, FlashError> {
        let Some(mut open) = self.open.filter(|_| self.phase == Phase::Receiving) else {
            return Ok(Work::Idle);
        };
        if self.coder.generations == 0 || open.missing_data == 0 {
            return Ok(Work::Idle);
        }
        if now < self.coder.last_row.saturating_add(QUIET) {
            return Ok(Work::Until(self.coder.last_row.saturating_add(QUIET)));
        }
        match self.coder.solve {
            Solve::At(0) => {
                self.coder.solve = Solve::Open;
                Ok(Work::More)
            }
            Solve::At(above) => {
                let column = above.saturating_sub(1);
                self.coder.solve = Solve::At(column);
                let solved = self.solve_column(&mut open, column);
                self.open = Some(open);
                if self.store.forgot {
                    self.check_forgotten();
                    return Ok(Work::More);
                }
                if !solved? {
                    let generation = self.coder.loaded.unwrap_or(0);
                    self.coder.note(generation, VOID);
                    self.coder.solve = Solve::Open;
                }
                self.open = Some(open);
                self.settle();
                Ok(Work::More)
            }
            // Pick the next full generation that has blocks left to solve.
            Solve::Open => {
                for generation in 0..self.coder.generations {
                    if self.coder.noted(generation) == 0
                        && self.unsolved(&open, generation)?
                        && self.load(&open, generation, self.coder.generations)?
                    {
                        self.coder.solve = Solve::At(self.coder.columns);
                        return Ok(Work::More);
                    }
                }
                Ok(Work::Idle)
            }
        }
    }

    /// Whether a generation has missing blocks.
    fn unsolved(&mut self, open: &Open, generation: u8) -> Result<bool, FlashError> {
        let mut any = false;
        let generations = u16::from(self.coder.generations);
        self.store.missing(open, Plane::Data, 0, &mut |index| {
            any = index.checked_rem(generations) == Some(generation.into());
            !any
        })?;
        Ok(any)
    }

    /// Back substitution of one column; `false` when the block that comes out is not genuine.
    fn solve_column(&mut self, open: &mut Open, column: u16) -> Result<bool, FlashError> {
        let Some(shape) = self.shape(open) else { return Ok(false) };
        let Some(matrix) = Matrix::new(self.ram.as_mut()) else { return Ok(false) };
        let (index, slot) = (word(matrix.columns, column), word(matrix.slots, column));
        if self.store.has(open, Plane::Data, index)? {
            return Ok(true);
        }
        if slot == NO_SLOT {
            return Ok(false);
        }
        let block = open.geometry.block();
        let at = self.slot_at(&shape, slot).wrapping_add(shape.data);
        let Some(sum) = self.buffer.get_mut(..usize::from(block)) else { return Ok(false) };
        sum.fill(0);
        xor_from(&mut self.store.flash, at, block.into(), sum)?;
        let Some(matrix) = Matrix::new(self.ram.as_mut()) else { return Ok(false) };
        for other in column.saturating_add(1)..self.coder.columns {
            if matrix.bit(column, other) {
                self.store.xor_into(open, Plane::Data, word(matrix.columns, other), sum)?;
            }
        }
        let len = open.geometry.block_len(Plane::Data, index);
        let Some((data, _)) = sum.split_at_checked(len.into()) else { return Ok(false) };
        let put = Self::take(&mut self.store, open, Plane::Data, index, data)?;
        Ok(put != Put::Refused)
    }
}

/// The head of a log entry.
struct Entry {
    generation: u8,
    generations: u8,
    pivot: u16,
    columns: u16,
    bits: Bits,
}
