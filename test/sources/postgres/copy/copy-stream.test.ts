import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { BytesVector } from '../../../../src/columnar/vectors';
import { ComportaError } from '../../../../src/errors';
import { WINDOW_BYTES } from '../../../../src/sources/postgres/copy/receive-buffer';
import type { PlannedColumn } from '../../../../src/sources/postgres/plan';
import { column } from '../../../support/columns';
import { eventually } from '../../../support/eventually';
import { fails } from '../fails';
import {
  complete,
  copyAnswer,
  cut,
  ending,
  HEADER,
  int32,
  message,
  READY,
  rowBytes,
  serverError,
  TRAILER,
} from './copy-bytes';
import { buildKernels, fastRead, openCopy } from './copy-reading';
import { WIRE_KINDS } from './wire-values';

const TEXT: PlannedColumn = {
  spec: column('v', { kind: 'text' }),
  select: '"v"',
  wire: 'bytes',
};

const row = (text: string | null) => rowBytes([text === null ? null : Buffer.from(text)]);
const data = (...parts: Buffer[]) => message('d', ...parts);
const header = (flags: number, extension: Buffer = Buffer.alloc(0), length = extension.length) =>
  Buffer.concat([HEADER.subarray(0, 11), int32(flags), int32(length), extension]);

function setUp() {
  const opened = openCopy(1);
  const { builder, kernels } = buildKernels([TEXT]);
  const texts = () => {
    builder.clear();
    for (const kernel of kernels) kernel(opened.rows.fields);
    const { values, data, starts, ends } = builder.columns[0] as BytesVector;
    return Array.from({ length: values }, (_, i) => data.toString('utf8', starts[i], ends[i]));
  };
  return { ...opened, texts };
}

describe('rows of a binary COPY', () => {
  it('come whether the header has a message of its own or not, in pieces of any size', async () => {
    const rest = [data(row('b')), data(row(null)), ...ending(3)];
    for (const begin of [[data(HEADER), data(row('a'))], [data(HEADER, row('a'))]]) {
      const bytes = Buffer.concat([...begin, ...rest]);
      for (let length = 1; length <= bytes.length; length++) {
        const read = await fastRead([TEXT], cut(bytes, [length]));
        assert.deepEqual(read, { values: [['a', 'b', null]], invalidValues: 0 });
      }
    }
  });

  it('are none in an empty table', async () => {
    for (const begin of [[data(HEADER, TRAILER)], [data(HEADER), data(TRAILER)]]) {
      const bytes = [...begin, message('c'), complete(0), READY];
      const read = await fastRead([TEXT], bytes);
      assert.deepEqual(read, { values: [[]], invalidValues: 0 });
    }
  });

  it('skip a header extension and flags that do not matter', async () => {
    const begin = data(header(0xffff, Buffer.from('ext')), row('a'));
    const { values } = await fastRead([TEXT], [begin, ...ending(1)]);
    assert.deepEqual(values, [['a']]);
  });

  it('may be of any size, large and small in turn', async () => {
    const sizes = [10, WINDOW_BYTES - 11, WINDOW_BYTES, 5, 3_000_000, 3_100_000, 0, 7, 20_000_000];
    const rows = [...sizes, 1, 2, 3].map((size, i) => [Buffer.alloc(size, 0x61 + i)]);
    const { values, error } = await fastRead([TEXT], cut(copyAnswer(rows), [100_000, 64 * 1024]));
    assert.equal(error, undefined);
    assert.deepEqual(
      values[0]?.map((value) => [String(value).length, String(value)[0]]),
      rows.map(([value]) => [value?.length, value?.toString('utf8', 0, 1) || undefined]),
    );
  });

  it('stop coming while a piece is out, and nothing of it changes', async () => {
    const { rows, socket, texts } = setUp();
    const many = Array.from({ length: 60_000 }, (_, i) => [Buffer.from(`row ${i}`)]);
    for (const piece of cut(copyAnswer(many), [64 * 1024])) socket.push(piece);
    let seen: string[] = [];
    while (await rows.next()) {
      const before = texts();
      await new Promise(setImmediate);
      assert.ok(rows.isEnded || socket.isPaused());
      assert.deepEqual(texts(), before);
      seen = [...seen, ...before];
    }
    assert.deepEqual(
      seen,
      many.map(([value]) => String(value)),
    );
  });

  it('pass what is for pg on to it, and give the connection back at the end', async () => {
    const { rows, socket, texts, seenByPg } = setUp();
    const parameter = message('S', Buffer.from('TimeZone\0UTC\0'));
    const notice = message('N', Buffer.from('SNOTICE\0C00000\0Mlisten\0\0'));
    const notification = message('A', int32(7), Buffer.from('channel\0payload\0'));
    socket.push(
      Buffer.concat([
        data(HEADER, row('a')),
        notice,
        data(row('b')),
        parameter,
        ...ending(2),
        notification,
      ]),
    );
    assert.equal(await rows.next(), true);
    assert.deepEqual(texts(), ['a', 'b']);
    assert.equal(await rows.next(), false);
    assert.equal(rows.isEnded, true);
    socket.push(Buffer.concat([message('T', Buffer.alloc(2)), READY]));
    await eventually(() => assert.equal(seenByPg.length, 8));
    assert.deepEqual(seenByPg, [
      'notice',
      'parameterStatus',
      'copyDone',
      'commandComplete',
      'readyForQuery',
      'notification',
      'rowDescription',
      'readyForQuery',
    ]);
  });

  it('end with the error of the server, and the connection goes on', async () => {
    const { rows, socket, seenByPg } = setUp();
    const next = rows.next();
    socket.push(Buffer.concat([data(HEADER, row('a')), serverError('22012', 'division by zero')]));
    await assert.rejects(next, { message: 'division by zero', code: '22012' });
    socket.push(READY);
    await eventually(() => assert.deepEqual(seenByPg, ['error', 'readyForQuery']));
  });

  it('end with the error of the server, also while a piece is out', async () => {
    const { rows, socket } = setUp();
    const large = data(HEADER, row('x'.repeat(WINDOW_BYTES)));
    socket.push(Buffer.concat([large, serverError('57014', 'canceled'), READY]));
    assert.equal(await rows.next(), true);
    await assert.rejects(rows.next(), /canceled/);
    await rows.ended;
  });

  it('end when they are given up; what is out stays, and the rest passes', async () => {
    const { rows, socket, texts, seenByPg } = setUp();
    const many = Array.from({ length: 200_000 }, (_, i) => [Buffer.from(`row ${i}`)]);
    for (const piece of cut(copyAnswer(many), [64 * 1024])) socket.push(piece);
    assert.equal(await rows.next(), true);
    const before = texts();
    rows.giveUp(new ComportaError('SourceInterrupted', 'enough'));
    await rows.ended;
    assert.deepEqual(texts(), before);
    assert.equal(seenByPg.at(-1), 'readyForQuery');
    await assert.rejects(rows.next(), /enough/);
  });

  describe('are refused', () => {
    const bad: Readonly<Record<string, readonly Buffer[]>> = {
      'with other fields than were asked for': [data(HEADER), data(rowBytes([null, null]))],
      'without their header': [data(row('a'))],
      'with a header that is cut': [data(HEADER.subarray(0, 18))],
      'with a flag that is not known': [data(header(0x10000), row('a'))],
      'with a header longer than its message': [data(header(0, Buffer.alloc(0), 9), row('a'))],
      'with a negative header': [data(header(0, Buffer.alloc(0), -5), row('a'))],
      'with a value longer than its row': [
        data(HEADER),
        data(Buffer.from('0001000000ff61', 'hex')),
      ],
      'with a row longer than its values': [
        data(HEADER),
        data(Buffer.from('0001000000016162', 'hex')),
      ],
      'with a length below NULL': [data(HEADER), data(Buffer.from('0001fffffffe', 'hex'))],
      'with a length that overflows': [data(HEADER), data(Buffer.from('00017fffffff', 'hex'))],
      'that are cut within a length': [data(HEADER), data(Buffer.from('0001ffff', 'hex'))],
      'after their end': [data(HEADER), data(TRAILER), data(row('a'))],
      'when some are missing': [data(HEADER, row('a')), ...ending(2)],
      'when there is one too many': [data(HEADER, row('a')), data(row('b')), ...ending(1)],
      'without an end': [data(HEADER, row('a')), message('c'), complete(1), READY],
      'without a count': [data(HEADER, row('a')), data(TRAILER), message('c'), READY],
      'in a message of a negative length': [data(HEADER), Buffer.from('64fffffff0', 'hex')],
      'in a message of gigabytes': [data(HEADER), Buffer.from('647ffffff0', 'hex')],
      'among messages that are not theirs': [data(HEADER), message('R', int32(3))],
    };
    for (const [how, messages] of Object.entries(bad)) {
      it(how, async () => {
        const read = await fastRead([TEXT], [...messages, data(row('more')), READY]);
        assert.ok(fails('SourceInterrupted', /cannot be read/)(read.error));
      });
    }

    it('with a row longer than its values, whose count is right', async () => {
      const long = data(Buffer.from('0001000000016162', 'hex'));
      const { error } = await fastRead([TEXT], [data(HEADER), long, ...ending(1)]);
      assert.ok(fails('SourceInterrupted', /a row is longer than its values/)(error));
    });

    it('with a value of another length than its type has', async () => {
      for (const { column, values } of WIRE_KINDS) {
        if (column.wire === 'bytes' && column.spec.type.kind !== 'uuid') continue;
        const [value = Buffer.alloc(0)] = fc.sample(values, { seed: 1, numRuns: 1 });
        for (const wrong of [Buffer.concat([value, Buffer.alloc(1)]), value.subarray(1)]) {
          const { error } = await fastRead([column], [copyAnswer([[value], [wrong], [null]])]);
          assert.ok(fails('SourceInterrupted', /column v has the wrong length/)(error));
        }
      }
    });

    it('when the connection ends before them', async () => {
      const whole = copyAnswer([[Buffer.from('a')], [Buffer.from('b')]]);
      for (let length = 0; length < whole.length; length++) {
        const { error } = await fastRead([TEXT], [whole.subarray(0, length)]);
        assert.match(String(error), /Connection terminated/);
      }
    });

    it('and a length of gigabytes takes no memory', async () => {
      const before = process.memoryUsage().arrayBuffers;
      const begin = [data(HEADER), Buffer.from('643ffffff000013fffff00', 'hex')];
      const { rows, socket } = setUp();
      const next = rows.next();
      for (const piece of begin) socket.push(piece);
      await new Promise(setImmediate);
      assert.ok(process.memoryUsage().arrayBuffers - before < 8 * WINDOW_BYTES);
      rows.giveUp(new ComportaError('SourceInterrupted', 'enough'));
      await assert.rejects(next, /enough/);
    });
  });
});
