import type {
  BooleanVector,
  BytesVector,
  DoubleVector,
  Fixed32Vector,
  Fixed64Vector,
  FloatVector,
  Vector,
} from '../vectors';
import { appendBoolean, appendUuid, UUID_BYTES } from './bytes';
import { appendDate, appendDuration, appendTime, appendTimestamp } from './dates';
import { appendDecimal128, appendDecimal64, WIDE_DECIMAL_BYTES } from './decimals';
import { appendFloat } from './floats';
import { appendInteger32, appendInteger64, integerRange } from './integers';

/**
 * Appends one value, given as the text in which databases print it, to the vector it was made
 * for. False, and nothing appended, when the text is not a value of the column's type.
 */
export type TextDecoder = (text: Buffer) => boolean;

/**
 * The decoder for a column's logical type from the usual text form: `-12.50`,
 * `2024-02-29 23:59:59.999999`, `-838:59:59`, … Bytes of text, json, binary and wkb are taken as
 * they are; a source that prints binary as hexadecimal uses `appendHex`.
 */
export function createTextDecoder(vector: Vector): TextDecoder {
  const { type } = vector.spec;
  switch (type.kind) {
    case 'boolean':
      return (text) => appendBoolean(vector as BooleanVector, text);
    case 'int': {
      const { bits, signed } = type;
      if (bits === 64) return (text) => appendInteger64(vector as Fixed64Vector, text, signed);
      const range = integerRange(bits, signed);
      return (text) => appendInteger32(vector as Fixed32Vector, text, range);
    }
    case 'float':
    case 'double':
      return (text) => appendFloat(vector as FloatVector | DoubleVector, text);
    case 'decimal': {
      const { precision, scale } = type;
      if (vector.storage === 'fixed64') {
        return (text) => appendDecimal64(vector, text, precision, scale);
      }
      const scratch = Buffer.alloc(WIDE_DECIMAL_BYTES);
      return (text) => appendDecimal128(vector as BytesVector, text, precision, scale, scratch);
    }
    case 'date':
      return (text) => appendDate(vector as Fixed32Vector, text);
    case 'time':
      return (text) => appendTime(vector as Fixed64Vector, text);
    case 'duration':
      return (text) => appendDuration(vector as Fixed64Vector, text);
    case 'timestamp':
      return (text) => appendTimestamp(vector as Fixed64Vector, text);
    case 'uuid': {
      const scratch = Buffer.alloc(UUID_BYTES);
      return (text) => appendUuid(vector as BytesVector, text, scratch);
    }
    case 'text':
    case 'json':
    case 'binary':
    case 'wkb':
      return (text) => {
        (vector as BytesVector).append(text);
        return true;
      };
  }
}
