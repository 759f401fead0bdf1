import assert from 'node:assert/strict';
import { isTimeless } from '../../src/sources/timeless';

const TIMELESS = [
  "doc #>> '{a,b}' = 'x' AND path = 'c:\\\\temp'",
  'id > 5',
  "status IN ('paid', 'sent') AND NOT (deleted)",
  "created_at >= '2024-01-01'::timestamptz",
  "created_at >= TIMESTAMP '2024-01-01' + INTERVAL '7 days'",
  'amount::numeric(10,2) BETWEEN 1 AND 2 -- since now()',
  'lower("Name") LIKE \'a%\' /* select */',
  "coalesce(region, 'x') = ANY (ARRAY['eu', 'us'])",
  '"now" = 1 AND "select" = \'a\'',
  "body = $$a 'quoted' text$$",
  'größe > 3',
  '`now` = 1 AND `select` <> "x"',
];

const NOT_TIMELESS = [
  "E'it\\'s' = x",
  String.raw`path = 'c:\' AND at > now() AND x = 'y'`,
  String.raw`x = "\"" AND at > now() AND y = "a"`,
  "/* /* */ ' */ now() /* ' */ > at",
  'at > /*!80000 now() */ + 1',
  'a > 5 --1 AND at > now()',
  "a = 1 # '\n AND at > now() # '",
  "created_at > now() - interval '7 days'",
  'created_at > NOW ( )',
  'day = CURRENT_DATE',
  'at < localtimestamp',
  "day >= 'today'",
  "at > timestamp 'Yesterday 12:00'",
  'owner = current_user',
  'owner = session_user',
  'customer_id IN (SELECT id FROM customers)',
  'EXISTS (TABLE other)',
  'random() < 0.1',
  'my_function(id)',
  'schema.my_function (id)',
  '"My Function"(id)',
  "age(born) > interval '18 years'",
  'at > $$now$$::timestamptz',
  "x = 'a' /* c */ AND clock_timestamp() > at",
  'at > utc_timestamp',
  'at > CURDATE() - INTERVAL 7 DAY',
  'tenant = @tenant',
  'host = @@hostname',
  "lower(random()::text) = 'a'",
];

describe('a filter that can move by itself', () => {
  for (const where of TIMELESS) {
    it(`is not: ${where}`, () => assert.equal(isTimeless(where), true));
  }
  for (const where of NOT_TIMELESS) {
    it(`is: ${where}`, () => assert.equal(isTimeless(where), false));
  }
});
