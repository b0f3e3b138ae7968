//! Where octets go: a port, a buffer, a test's vector.
//!
//! Text is written octet by octet: a string literal would stand in RAM on AVR.

/// Takes octets, one at a time.
pub trait Sink {
    /// Takes one octet.
    fn put(&mut self, octet: u8);

    /// Takes several.
    fn put_all(&mut self, octets: &[u8]) {
        octets.iter().for_each(|octet| self.put(*octet));
    }

    /// Takes a number as decimal text.
    fn decimal(&mut self, number: u32) {
        digits(number, 0, self);
    }

    /// Takes an octet as two hexadecimal digits.
    fn hex(&mut self, octet: u8) {
        for digit in [octet >> 4, octet & 15] {
            let letter = if digit < 10 { b'0' } else { b'A'.wrapping_sub(10) };
            self.put(letter.wrapping_add(digit));
        }
    }

    /// Takes an exact decimal number as text: `mantissa` times ten to the power of `exponent`.
    fn number(&mut self, mantissa: i64, exponent: i8) {
        let small = u32::try_from(mantissa.unsigned_abs()).ok();
        let behind = exponent.checked_neg().and_then(|behind| u8::try_from(behind).ok());
        if let (Some(number), Some(behind @ 0..=9)) = (small, behind) {
            if mantissa < 0 {
                self.put(b'-');
            }
            return digits(number, behind, self);
        }
        let mut text = [0; obis::DecimalText::CAPACITY];
        let len = obis::Decimal::new(mantissa, exponent).encode(&mut text).unwrap_or(0);
        self.put_all(text.get(..len).unwrap_or_default());
    }
}

/// The digits of a number, `behind` of them behind the point, by subtraction: a division takes an AVR as long as three octets
/// take on a line at 115,200 baud.
fn digits<S: Sink + ?Sized>(mut rest: u32, behind: u8, out: &mut S) {
    let mut shown = false;
    let mut digit = |power: u32, place: u8| {
        let mut digit = b'0';
        while let Some(less) = rest.checked_sub(power) {
            rest = less;
            digit = digit.wrapping_add(1);
        }
        shown |= digit != b'0' || place <= behind;
        if shown {
            out.put(digit);
        }
        if place == behind && behind != 0 {
            out.put(b'.');
        }
    };
    digit(1_000_000_000, 9);
    digit(100_000_000, 8);
    digit(10_000_000, 7);
    digit(1_000_000, 6);
    digit(100_000, 5);
    digit(10_000, 4);
    digit(1_000, 3);
    digit(100, 2);
    digit(10, 1);
    digit(1, 0);
}

impl<F: FnMut(u8)> Sink for F {
    fn put(&mut self, octet: u8) {
        self(octet);
    }
}

#[cfg(test)]
mod tests {
    use core::fmt::Write;

    use super::*;

    #[derive(Default)]
    struct Text([u8; 32], usize);

    impl Sink for Text {
        fn put(&mut self, octet: u8) {
            if let Some(place) = self.0.get_mut(self.1) {
                *place = octet;
            }
            self.1 = self.1.saturating_add(1);
        }
    }

    impl Write for Text {
        fn write_str(&mut self, text: &str) -> core::fmt::Result {
            self.put_all(text.as_bytes());
            Ok(())
        }
    }

    #[test]
    fn numbers_come_out_as_the_vocabulary_writes_them() {
        for mantissa in [0, 1, 9, 10, 123, 4_217_385, 4_294_967_295, 4_294_967_296, i64::MAX] {
            for exponent in -11..=2 {
                for mantissa in [mantissa, mantissa.wrapping_neg()] {
                    let (mut ours, mut theirs) = (Text::default(), Text::default());
                    ours.number(mantissa, exponent);
                    assert!(write!(theirs, "{}", obis::Decimal::new(mantissa, exponent)).is_ok());
                    assert_eq!(ours.0, theirs.0, "{mantissa} {exponent}");
                }
            }
        }
    }
}
