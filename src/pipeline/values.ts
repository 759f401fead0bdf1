import { z } from 'zod';
import { cronProblem } from './cron';
import { DURATION_PATTERN, parseDuration } from './duration';
import { patternProblem } from './pattern';
import { isTimeZone, nearestTimeZone } from './time-zone';
import { nearest } from './mistakes';

/**
 * The kinds of single values that pipeline files hold. Messages have the form that `mistake.ts`
 * splits, "problem — fix", and never repeat a value: it might be a secret in the wrong place.
 */
export const say = (problem: string, fix: string): string => `${problem} — ${fix}`;

/** A mapping that takes these keys and no others. One line of its message per unknown key. */
export function section<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return undefined;
      return issue.keys.map((key) => unknownKey(key, known)).join('\n');
    },
  });
}

function unknownKey(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  const all = `the keys here are ${known.join(', ')}`;
  return say('unknown key', meant === undefined ? all : `did you mean ${meant}? (${all})`);
}

/** A key that may be left out. `fallback` is published as the schema's default. */
export function optional<Type extends z.ZodType>(
  type: Type,
  description: string,
  fallback?: unknown,
) {
  const title = type.meta()?.title;
  return type.optional().meta({
    ...(title === undefined ? {} : { title }),
    description,
    ...(fallback === undefined ? {} : { default: fallback }),
  });
}

export const wholeNumber = (minimum: number, maximum: number) => {
  const error = say(
    `must be a whole number from ${minimum} to ${maximum}`,
    'write such a number without quotes',
  );
  return z
    .int({ error })
    .min(minimum, { error })
    .max(maximum, { error })
    .meta({ title: `whole number, ${minimum} to ${maximum}` });
};

/** A hundred years: beyond it, clocks and timers overflow. */
const LONGEST_DURATION = '36500d';

interface DurationBounds {
  readonly minimum?: string;
  readonly maximum?: string;
}

function durationTitle(minimum: string, maximum: string): string {
  if (maximum !== LONGEST_DURATION) return `duration, ${minimum} to ${maximum}`;
  return minimum === '0s' ? 'duration' : `duration, at least ${minimum}`;
}

/** A duration as text, such as `90s`. */
export function duration({ minimum = '0s', maximum = LONGEST_DURATION }: DurationBounds = {}) {
  const wanted = say(
    'is not a duration',
    'write a number and a unit (ms, s, m, h, d), such as 30s, 10m or 1h30m',
  );
  const bounds = say(`must be from ${minimum} to ${maximum}`, 'write a duration between these');
  return z
    .string({ error: wanted })
    .regex(DURATION_PATTERN, { error: wanted, abort: true })
    .refine(
      (text) => {
        const value = parseDuration(text);
        return value >= parseDuration(minimum) && value <= parseDuration(maximum);
      },
      { error: bounds },
    )
    .meta({ title: durationTitle(minimum, maximum) });
}

const SECRET = say(
  'must be a reference to a secret, never the secret itself',
  'write env:NAME (an environment variable), file:PATH (a file that holds only the secret), gsm:projects/PROJECT/secrets/NAME (Google Secret Manager) or asm:NAME (AWS Secrets Manager)',
);

/**
 * Google Cloud, "Secret Manager resource names"; AWS Secrets Manager API, CreateSecret: `Name`, and
 * `!` in those that AWS itself makes.
 */
const SECRET_FORMS = [
  'env:[A-Za-z_][A-Za-z0-9_]*',
  'file:.*\\S.*',
  'gsm:projects\\/[a-z0-9][a-z0-9.:-]*\\/secrets\\/[A-Za-z0-9_-]{1,255}(?:\\/versions\\/[A-Za-z0-9_-]+)?',
  'asm:[A-Za-z0-9\\/_+=.@:!-]+(?:#[^\\r\\n]+)?',
] as const;

/** `env:NAME`, `file:PATH`, `gsm:projects/P/secrets/S[/versions/V]` or `asm:NAME[#KEY]`. */
export const secret = () =>
  z
    .string({ error: SECRET })
    .regex(new RegExp(`^(?:${SECRET_FORMS.join('|')})$`), { error: SECRET })
    .meta({ title: 'secret reference' });

const ENV_NAME = 'env:[A-Za-z_][A-Za-z0-9_]*';
const ONE_LINE = '[^\\r\\n]*\\S[^\\r\\n]*';
const ENV_TEXT = say(
  'must be text, or env:NAME to take it from an environment variable',
  'write it in quotes, or as env: and a name of letters, digits and underscores; what holds where it is not set comes after :-',
);

/** `fallback` is what may stand behind `env:NAME:-`. */
const environmentForm = (fallback: string) =>
  z
    .string({ error: ENV_TEXT })
    .regex(new RegExp(`^(?:${ENV_NAME}(?::-${fallback})?|(?!env:)${ONE_LINE})$`), {
      error: ENV_TEXT,
    })
    .meta({ title: 'text or env:NAME' });

/** Text that may differ from one environment to the next: `env:NAME`, or `env:NAME:-text`. */
export const environmentText = () => environmentForm(ONE_LINE);

/** The same for a key that may be left out: `env:NAME:-` leaves it out where NAME is not set. */
export const optionalEnvironmentText = () => environmentForm('[^\\r\\n]*');

const PORT = say('must be a port', 'write a number from 1 to 65535, or env:NAME');

/** A port, or the environment variable that holds it. */
export const port = () =>
  z
    .union(
      [
        z.int({ error: PORT }).min(1, { error: PORT }).max(65_535, { error: PORT }),
        z
          .string({ error: PORT })
          .regex(new RegExp(`^${ENV_NAME}(?::-\\d{1,5})?$`), { error: PORT }),
      ],
      { error: PORT },
    )
    .meta({ title: 'port or env:NAME' });

const PATH_TEXT = say('must be the path of a file', 'write the path of a PEM file as plain text');

/** A certificate or key on disk. Its content pasted here must not end up in a message. */
export const filePath = () =>
  z
    .string({ error: PATH_TEXT })
    .regex(/^(?!env:|file:|-----)[^\r\n]*\S[^\r\n]*$/, { error: PATH_TEXT })
    .meta({ title: 'path' });

/** Text with something in it. `title` is what the reference calls it. */
export const text = (what: string, title = 'text') => {
  const error = say(
    `must be ${what}`,
    'write it as text; put it in quotes if YAML reads it otherwise',
  );
  return z.string({ error }).regex(/\S/, { error }).meta({ title });
};

/** A name of a fixed form. */
export const name = (form: RegExp, description: string) => {
  const error = say('is not a valid name', `write ${description}`);
  return z.string({ error }).regex(form, { error }).meta({ title: 'name' });
};

/** Cloud KMS reference, "Getting a Cloud KMS resource ID"; a version is chosen by the service. */
export const CLOUD_KMS_KEY =
  /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+$/;

export const connectionName = () =>
  name(
    /^[A-Za-z][A-Za-z0-9_-]{0,62}$/,
    'a letter, then letters, digits, hyphens or underscores, at most 63 in all',
  );

/** A pattern over table ids. */
export const pattern = () =>
  z
    .string({
      error: say('must be a pattern', 'write it in quotes, such as "orders" or "tmp_*"'),
    })
    .superRefine((value, context) => {
      const problem = patternProblem(value);
      if (problem !== undefined) {
        context.addIssue({
          code: 'custom',
          message: say(
            problem,
            'write a table name, with * and ? as wildcards, \\ before a literal one',
          ),
        });
      }
    })
    .meta({ title: 'pattern' });

/** One five-field cron expression. */
export const cron = () =>
  z
    .string({ error: say('must be a cron expression', 'write five fields in quotes: "0 3 * * *"') })
    .superRefine((value, context) => {
      const problem = cronProblem(value);
      if (problem !== undefined) {
        context.addIssue({
          code: 'custom',
          message: say(
            `is not a cron expression: ${problem}`,
            'write minute, hour, day of month, month, day of week, such as "0 3 * * MON-FRI"',
          ),
        });
      }
    })
    .meta({ title: 'cron expression' });

/** An IANA time zone. */
export const timeZone = () =>
  z
    .string({
      error: say('must be a time zone', 'write an IANA name such as America/Sao_Paulo or UTC'),
    })
    .superRefine((value, context) => {
      if (isTimeZone(value)) return;
      const meant = nearestTimeZone(value);
      const hint =
        meant === undefined
          ? 'write an IANA name such as America/Sao_Paulo'
          : `did you mean ${meant}?`;
      context.addIssue({ code: 'custom', message: say('is not a known time zone', hint) });
    })
    .meta({ title: 'time zone' });

const MAIL = say(
  'must be an e-mail address',
  'write ops@example.com, or Comporta <ops@example.com>',
);

/** An address, with or without a name before it. Nothing that would begin another header. */
export const mailAddress = () =>
  z
    .string({ error: MAIL })
    .regex(/^(?:[^\r\n<>@,;]*<[^\s<>@,;]+@[^\s<>@,;]+>|[^\s<>@,;]+@[^\s<>@,;]+)$/, { error: MAIL })
    .meta({ title: 'e-mail address' });
