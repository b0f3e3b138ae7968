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
        let mut divisor = 1_000_000_000_u32;
        while divisor > 1 && number < divisor {
            divisor = divisor.div_euclid(10);
        }
        while divisor > 0 {
            let digit = number.div_euclid(divisor).rem_euclid(10);
            self.put(b'0'.wrapping_add(digit.to_le_bytes()[0]));
            divisor = divisor.div_euclid(10);
        }
    }

    /// Takes an octet as two hexadecimal digits.
    fn hex(&mut self, octet: u8) {
        for digit in [octet >> 4, octet & 15] {
            let letter = if digit < 10 { b'0' } else { b'A'.wrapping_sub(10) };
            self.put(letter.wrapping_add(digit));
        }
    }

    /// Takes an exact decimal number as text.
    fn number(&mut self, mantissa: i64, exponent: i8) {
        let mut text = [0; obis::DecimalText::CAPACITY];
        let len = obis::Decimal::new(mantissa, exponent).encode(&mut text).unwrap_or(0);
        self.put_all(text.get(..len).unwrap_or_default());
    }
}

impl<F: FnMut(u8)> Sink for F {
    fn put(&mut self, octet: u8) {
        self(octet);
    }
}
