//! CBOR to JSON and back, so that `CloudWatch`'s two wire formats meet in one. It knows no metrics, only
//! that fields called `Timestamp` and `Timestamps` hold times, which CBOR tags and JSON does not.

use minicbor::{
    Decoder, Encoder,
    data::{IanaTag, Type},
    decode::Error,
};
use serde_json::{Map, Number, Value};

/// `CloudWatch`'s requests are four levels deep; more is an attack on the stack.
const DEPTH_MAX: u8 = 16;

/// Reads one CBOR item; tags are dropped.
pub(super) fn to_json(bytes: &[u8]) -> Result<Value, Error> {
    read(&mut Decoder::new(bytes), DEPTH_MAX)
}

/// Writes JSON as CBOR, with times as RPC v2 CBOR wants them.
pub(super) fn from_json(value: &Value) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    // Writing to memory cannot fail.
    let _infallible = write(&mut encoder, value, Meaning::Plain);
    encoder.into_writer()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Plain,
    Time,
}

fn read(decoder: &mut Decoder<'_>, depth: u8) -> Result<Value, Error> {
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| Error::message("nested too deeply"))?;
    Ok(match decoder.datatype()? {
        Type::Tag => {
            decoder.tag()?;
            read(decoder, depth)?
        }
        Type::Bool => Value::from(decoder.bool()?),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => Value::from(decoder.u64()?),
        Type::I8 | Type::I16 | Type::I32 | Type::I64 => Value::from(decoder.i64()?),
        Type::F32 => Value::from(decoder.f32()?),
        Type::F64 => Value::from(decoder.f64()?),
        Type::String => Value::from(decoder.str()?),
        Type::StringIndef => Value::from(decoder.str_iter()?.collect::<Result<String, _>>()?),
        Type::Array | Type::ArrayIndef => read_array(decoder, depth)?,
        Type::Map | Type::MapIndef => read_map(decoder, depth)?,
        Type::Null | Type::Undefined => {
            decoder.skip()?;
            Value::Null
        }
        other => {
            return Err(Error::type_mismatch(other).with_message("not a type that CloudWatch uses"));
        }
    })
}

fn read_array(decoder: &mut Decoder<'_>, depth: u8) -> Result<Value, Error> {
    let length = decoder.array()?;
    let mut items = Vec::new();
    while has_more(decoder, length, items.len())? {
        items.push(read(decoder, depth)?);
    }
    Ok(Value::Array(items))
}

fn read_map(decoder: &mut Decoder<'_>, depth: u8) -> Result<Value, Error> {
    let length = decoder.map()?;
    let mut fields = Map::new();
    let mut count = 0;
    while has_more(decoder, length, count)? {
        let name = decoder.str()?.to_owned();
        fields.insert(name, read(decoder, depth)?);
        count += 1;
    }
    Ok(Value::Object(fields))
}

/// Whether another item follows: by the length that was announced, or up to the break that ends it.
fn has_more(decoder: &mut Decoder<'_>, length: Option<u64>, count: usize) -> Result<bool, Error> {
    if let Some(length) = length {
        return Ok(u64::try_from(count).is_ok_and(|count| count < length));
    }
    let is_end = decoder.datatype()? == Type::Break;
    if is_end {
        decoder.skip()?;
    }
    Ok(!is_end)
}

type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

fn write(encoder: &mut Encoder<Vec<u8>>, value: &Value, meaning: Meaning) -> Written {
    match value {
        Value::Null => encoder.null()?,
        Value::Bool(value) => encoder.bool(*value)?,
        Value::Number(number) => return write_number(encoder, number, meaning),
        Value::String(text) => encoder.str(text)?,
        Value::Array(items) => {
            encoder.array(length(items.len()))?;
            return items
                .iter()
                .try_for_each(|item| write(encoder, item, meaning));
        }
        Value::Object(fields) => {
            encoder.map(length(fields.len()))?;
            return fields.iter().try_for_each(|(name, value)| {
                encoder.str(name)?;
                write(encoder, value, meaning_of(name))
            });
        }
    };
    Ok(())
}

fn write_number(encoder: &mut Encoder<Vec<u8>>, number: &Number, meaning: Meaning) -> Written {
    if meaning == Meaning::Time {
        encoder.tag(IanaTag::Timestamp)?;
    }
    match (number.as_u64(), number.as_i64()) {
        (Some(value), _) => encoder.u64(value)?,
        (None, Some(value)) => encoder.i64(value)?,
        (None, None) => encoder.f64(number.as_f64().unwrap_or_default())?,
    };
    Ok(())
}

fn meaning_of(field: &str) -> Meaning {
    match field {
        "Timestamp" | "Timestamps" => Meaning::Time,
        _ => Meaning::Plain,
    }
}

fn length(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let value = json!({"Values": [1.5, 2.0], "Id": "m", "Timestamps": [60], "No": null, "Yes": true, "Less": -3});
        assert_eq!(to_json(&from_json(&value)).unwrap(), value);
    }

    #[test]
    fn items_without_length_are_read_up_to_their_break() {
        let mut encoder = Encoder::new(Vec::new());
        encoder
            .begin_map()
            .unwrap()
            .str("a")
            .unwrap()
            .begin_array()
            .unwrap();
        encoder.u8(1).unwrap().end().unwrap().end().unwrap();
        assert_eq!(to_json(&encoder.into_writer()).unwrap(), json!({"a": [1]}));
    }

    #[test]
    fn what_is_too_deep_or_cut_off_is_an_error() {
        assert!(to_json(&[0x81; 100]).is_err());
        assert!(to_json(&[0xa1, 0x61]).is_err());
    }
}
