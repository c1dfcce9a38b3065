//! Messages as gRPC frames them: a byte for the compression, four bytes for the length, and the message.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use prost::Message;

use super::Error;
use crate::printable::Printable;

/// The length of the prefix in bytes.
const PREFIX: usize = 5;

/// Returns a message with its prefix.
pub(super) fn encode(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut frame = BytesMut::with_capacity(PREFIX + length);
    frame.put_u8(0);
    // No request comes near 4 GiB: a chunk of a blob is the largest.
    frame.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    // The buffer grows, so this cannot fail.
    let _ = message.encode(&mut frame);
    frame.freeze()
}

/// Takes the first message from the bytes that arrived. Returns `None` if it is not complete yet.
pub(super) fn decode<A: Message + Default>(
    arrived: &mut BytesMut,
    limit: usize,
) -> Result<Option<A>, Error> {
    let Some((mut prefix, rest)) = arrived.split_at_checked(PREFIX) else {
        return Ok(None);
    };
    let compression = prefix.get_u8();
    let length = usize::try_from(prefix.get_u32()).unwrap_or(usize::MAX);
    if compression != 0 {
        return Err(Error::Invalid(Printable::new("compressed")));
    }
    if length > limit {
        return Err(Error::TooLarge(limit));
    }
    if rest.len() < length {
        return Ok(None);
    }
    arrived.advance(PREFIX);
    let message = arrived.split_to(length);
    A::decode(message.freeze())
        .map(Some)
        .map_err(|error| Error::Invalid(Printable::new(&error.to_string())))
}

/// Decodes the percent-encoding of a status message. Invalid escapes stay as they are.
pub(super) fn message_text(encoded: &[u8]) -> String {
    let mut text = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let [byte, after @ ..] = rest {
        let escape = match (byte, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        if let Some((high, low)) = escape {
            text.push(high << 4 | low);
            rest = after.get(2..).unwrap_or_default();
        } else {
            text.push(*byte);
            rest = after;
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, PartialEq, Message)]
    struct Text {
        #[prost(string, tag = "1")]
        text: String,
    }

    fn message(text: &str) -> Text {
        Text {
            text: text.to_owned(),
        }
    }

    #[test]
    fn messages_arrive_in_any_pieces() {
        let frames = [encode(&message("one")), encode(&message(""))].concat();
        let mut arrived = BytesMut::new();
        let mut found = Vec::new();
        for byte in frames {
            arrived.put_u8(byte);
            while let Some(text) = decode::<Text>(&mut arrived, 100).unwrap() {
                found.push(text.text);
            }
        }
        assert_eq!(found, ["one", ""]);
        assert!(arrived.is_empty());
    }

    #[test]
    fn refuses_messages_that_are_large_compressed_or_invalid() {
        let decoded = |bytes: &[u8]| decode::<Text>(&mut BytesMut::from(bytes), 3).unwrap_err();
        assert!(matches!(
            decoded(&encode(&message("long"))),
            Error::TooLarge(3)
        ));
        assert!(matches!(decoded(&[1, 0, 0, 0, 0]), Error::Invalid(_)));
        assert!(matches!(decoded(&[0, 0, 0, 0, 1, 255]), Error::Invalid(_)));
        assert!(matches!(
            decoded(&[0, 255, 255, 255, 255]),
            Error::TooLarge(3)
        ));
    }

    #[test]
    fn status_messages_are_percent_encoded() {
        for (encoded, text) in [
            ("plain", "plain"),
            ("a%20b%3A%25", "a b:%"),
            ("%C3%A9", "é"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
        ] {
            assert_eq!(message_text(encoded.as_bytes()), text);
        }
    }
}
