/**
 * The five-field cron expressions that Temporal schedules take, with its own rules (the server's
 * service/worker/scheduler/calendar.go): day of month and day of week must BOTH match, `5/15`
 * runs from 5 to the field's end, names may be written out, Sunday is 0 or 7.
 */

interface Field {
  readonly name: string;
  readonly minimum: number;
  readonly maximum: number;
  /** Names of the values from `firstName` on. */
  readonly names: readonly string[];
  readonly firstName: number;
  readonly shortestName: number;
}

const MONTHS = [
  ...['january', 'february', 'march', 'april', 'may', 'june'],
  ...['july', 'august', 'september', 'october', 'november', 'december'],
];
const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const LONGEST_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const numeric = (name: string, minimum: number, maximum: number): Field => ({
  name,
  minimum,
  maximum,
  names: [],
  firstName: 0,
  shortestName: 0,
});

const FIELDS: readonly Field[] = [
  numeric('minute', 0, 59),
  numeric('hour', 0, 23),
  numeric('day of month', 1, 31),
  { ...numeric('month', 1, 12), names: MONTHS, firstName: 1, shortestName: 3 },
  { ...numeric('day of week', 0, 7), names: DAYS, firstName: 0, shortestName: 2 },
];

/** A word about what is wrong; thrown and caught within this file. */
class CronProblem extends Error {}

function valueOf(text: string, field: Field): number {
  if (/^\d+$/.test(text)) {
    const value = Number(text);
    if (value >= field.minimum && value <= field.maximum) return value;
  } else if (field.names.length > 0 && text.length >= field.shortestName) {
    const index = field.names.findIndex((name) => name.startsWith(text.toLowerCase()));
    if (index >= 0) return index + field.firstName;
  }
  throw new CronProblem(`its ${field.name} must be ${field.minimum} to ${field.maximum}`);
}

function valuesOfPart(part: string, field: Field): readonly number[] {
  const [range = '', step, ...more] = part.split('/');
  if (more.length > 0 || (step !== undefined && !/^0*[1-9]\d*$/.test(step))) {
    throw new CronProblem(`its ${field.name} has a step that is not a whole number above 0`);
  }
  const ends = range.split('-');
  if (ends.length > 2) throw new CronProblem(`its ${field.name} has a malformed range`);
  const first = range === '*' ? field.minimum : valueOf(ends[0] ?? '', field);
  const open = range === '*' || (ends.length === 1 && step !== undefined);
  const last = open ? field.maximum : valueOf(ends[1] ?? range, field);
  if (last < first) throw new CronProblem(`its ${field.name} has a range that runs backwards`);
  const values: number[] = [];
  for (let value = first; value <= last; value += Number(step ?? 1)) values.push(value);
  return values;
}

function parse(expression: string): void {
  if (expression.startsWith('@')) throw new CronProblem('shorthands such as @daily are not taken');
  const texts = expression.split(/\s+/).filter((text) => text !== '');
  if (texts.length !== FIELDS.length) {
    throw new CronProblem(`it has ${texts.length} fields instead of 5`);
  }
  const values = FIELDS.map((field, index) =>
    (texts[index] ?? '').split(',').flatMap((part) => valuesOfPart(part, field)),
  );
  const longest = Math.max(...(values[3] ?? []).map((month) => LONGEST_MONTHS[month - 1] ?? 0));
  if (Math.min(...(values[2] ?? [])) > longest) {
    throw new CronProblem('none of its months has that day, so it would never run');
  }
}

/** What is wrong with a cron expression, or undefined: "it has 4 fields instead of 5". */
export function cronProblem(expression: string): string | undefined {
  try {
    parse(expression);
    return undefined;
  } catch (error) {
    if (error instanceof CronProblem) return error.message;
    throw error;
  }
}
