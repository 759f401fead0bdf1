import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Connection } from 'pg';
import type { BytesVector } from '../../../src/columnar/vectors';
import { ComportaError } from '../../../src/errors';
import { CopyStream } from '../../../src/sources/postgres/copy/copy-stream';
import type { PlannedColumn } from '../../../src/sources/postgres/plan';
import { Wire } from '../../../src/sources/postgres/wire';
import { column } from '../../support/columns';
import { eventually } from '../../support/eventually';
import { copyAnswer, cut, message, READY, serverError } from './copy/copy-bytes';
import { buildKernels, memory } from './copy/copy-reading';

const TEXT: PlannedColumn = { spec: column('v', { kind: 'text' }), select: '"v"', wire: 'bytes' };
const parameter = (name: string) => message('S', Buffer.from(`${name}\0on\0`));

interface DirectConnection extends Connection {
  connect(port: number, host: string): void;
  readonly stream: Socket;
}

/** A connection of pg's over a wire, a server that is the test, and the rows of a COPY. */
describe('a wire that reads into the receiver itself', () => {
  let server: Server;
  let serverSide: Socket;
  let wire: Wire;
  let connection: DirectConnection;
  let seenByPg: string[];

  beforeEach(async () => {
    server = createServer((socket) => (serverSide = socket.on('error', () => undefined)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    wire = new Wire(false);
    connection = new Connection({
      stream: () => wire.socket,
    }) as unknown as DirectConnection;
    seenByPg = [];
    connection.on('message', ({ name }: { name: string }) => seenByPg.push(name));
    connection.on('error', () => undefined);
    connection.connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(connection, 'connect');
    await eventually(() => assert.notEqual(serverSide, undefined));
  });
  afterEach(async () => {
    wire.destroy();
    serverSide.destroy();
    server.close();
    await once(server, 'close');
  });

  const open = () => {
    const rows = new CopyStream('COPY …', 1, wire, memory);
    connection.once('readyForQuery', () => rows.handleReadyForQuery());
    connection.on('errorMessage', (error: Error) => rows.handleError(error));
    const { builder, kernels } = buildKernels([TEXT]);
    const texts = () => {
      builder.clear();
      for (const kernel of kernels) kernel(rows.fields);
      const { values, data, starts, ends } = builder.columns[0] as BytesVector;
      return Array.from({ length: values }, (_, i) => data.toString('utf8', starts[i], ends[i]));
    };
    rows.submit(connection);
    return { rows, texts };
  };

  const send = async (pieces: readonly Buffer[]) => {
    for (const [i, piece] of pieces.entries()) {
      if (!serverSide.write(piece)) await once(serverSide, 'drain');
      // So that not every piece is joined to the one before.
      if (i % 50 === 0) await new Promise(setImmediate);
    }
  };

  it('serves pg, then the rows, then pg again, however the bytes are cut', async () => {
    for (const [round, lengths] of [[8192], [1, 7, 100, 70_000], [400_000], [3, 5]].entries()) {
      const count = round === 3 ? 500 : 40_000;
      const expected = Array.from({ length: count }, (_, i) => `row ${i} ${'x'.repeat(i % 60)}`);
      seenByPg = [];
      await send(cut(Buffer.concat([parameter('before'), READY]), [2]));
      await eventually(() => assert.deepEqual(seenByPg, ['parameterStatus', 'readyForQuery']));
      const { rows, texts } = open();
      const sending = send(cut(copyAnswer(expected.map((text) => [Buffer.from(text)])), lengths));
      const seen: string[] = [];
      while (await rows.next()) {
        const before = texts();
        if (seen.length % 3 === 0) await new Promise(setImmediate);
        assert.deepEqual(texts(), before, 'a piece changed while it was out');
        seen.push(...before);
      }
      await sending;
      assert.deepEqual(seen, expected);
      await send([parameter('after')]);
      await eventually(() => assert.equal(seenByPg.at(-1), 'parameterStatus'));
    }
  });

  it('holds the server back while a piece is out', async () => {
    const { rows } = open();
    const large = Buffer.alloc(1000, 0x61);
    const bytes = copyAnswer(Array.from({ length: 60_000 }, () => [large]));
    serverSide.write(bytes);
    assert.equal(await rows.next(), true);
    const before = wire.socket.bytesRead;
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(wire.socket.bytesRead, before);
    assert.ok(serverSide.bytesWritten < bytes.length || serverSide.writableLength > 0);
    while (await rows.next());
    assert.equal(wire.socket.bytesRead, bytes.length);
  });

  it('reads the rest away when the rows are given up while a piece is out', async () => {
    const { rows, texts } = open();
    const many = Array.from({ length: 200_000 }, (_, i) => [Buffer.from(`row ${i}`)]);
    serverSide.write(copyAnswer(many));
    assert.equal(await rows.next(), true);
    const before = texts();
    rows.giveUp(new ComportaError('SourceInterrupted', 'enough'));
    await rows.ended;
    assert.deepEqual(texts(), before);
    await eventually(() => assert.equal(seenByPg.at(-1), 'readyForQuery'));
    await assert.rejects(rows.next(), /enough/);
  });

  it('reads the rest away when the rows are given up while they are awaited', async () => {
    const { rows } = open();
    const next = rows.next();
    const whole = copyAnswer([[Buffer.from('a')], [Buffer.from('b')]]);
    serverSide.write(whole.subarray(0, -20));
    await eventually(() => assert.ok(wire.socket.bytesRead > 0));
    rows.giveUp(new ComportaError('SourceInterrupted', 'enough'));
    await assert.rejects(next, /enough/);
    serverSide.write(whole.subarray(-20));
    await rows.ended;
  });

  it('passes an error of the server on, and the next rows come', async () => {
    const { rows } = open();
    const next = rows.next();
    serverSide.write(Buffer.concat([serverError('22012', 'division by zero'), READY]));
    await assert.rejects(next, /division by zero/);
    await eventually(() => assert.equal(seenByPg.at(-1), 'readyForQuery'));
    const again = open();
    serverSide.write(copyAnswer([[Buffer.from('a')]]));
    assert.equal(await again.rows.next(), true);
    assert.deepEqual(again.texts(), ['a']);
  });

  it('cuts the connection when it cannot read what comes', async () => {
    const { rows } = open();
    const next = rows.next();
    const closed = once(wire.socket, 'close');
    serverSide.write(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await assert.rejects(next, /cannot be read/);
    await closed;
  });
});
