import type { OnReadOpts, Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Takes the bytes that come from the server while the driver has nothing to say. */
export interface Receiver {
  /**
   * Where the next bytes may be put; undefined while they are not wanted. What was named stays
   * valid until `received`.
   */
  space(): Uint8Array | undefined;
  /** `count` bytes lie in what `space` returned last. False: no more until `resume`. */
  received(count: number): boolean;
}

/** The bytes of a session's connection, which the driver and the reader of rows use in turns. */
export interface Transport {
  /** From now on bytes go to the receiver and none to the driver. Nothing may be under way. */
  attach(receiver: Receiver): void;
  /** Gives the connection back to the driver. Nothing may be under way. */
  detach(): void;
  write(bytes: Uint8Array): void;
  /** Lets bytes come until the receiver has enough. Without effect while they come. */
  resume(): void;
}

/** Where bytes land while nobody has named a place for them. */
const LANDING_BYTES = 64 * 1024;

/** A transport before its connection stands, with what the socket has to be made with. */
export interface PlainTransport {
  readonly onread: OnReadOpts;
  over(socket: Socket): Transport;
}

/**
 * A transport without TLS. The socket is made with `onread`, so that the kernel's bytes land
 * where the receiver wants them, without a stream in between and without a buffer for each chunk:
 * https://nodejs.org/api/net.html#socketconnectoptions-connectlistener. Such a socket emits no
 * 'data', so that the driver's share is emitted here.
 *
 * The place of the next bytes has to be named when the last ones are handed over, when the
 * receiver may have none yet. They land here then, and are copied.
 */
export function plainTransport(): PlainTransport {
  const landing = new Uint8Array(LANDING_BYTES);
  let place: Uint8Array | undefined;
  let socket: Socket | undefined;
  const delivery = createDelivery();
  return {
    onread: {
      buffer() {
        place = delivery.receiver()?.space();
        return place ?? landing;
      },
      callback(count, bytes) {
        const receiver = delivery.receiver();
        if (receiver !== undefined && bytes === place) return receiver.received(count);
        const chunk = bytes.subarray(0, count);
        if (receiver !== undefined) return delivery.copy(chunk);
        // The driver keeps views of what it is given.
        return socket?.emit('data', Buffer.from(chunk)) ?? true;
      },
    },
    over(connected) {
      socket = connected;
      return {
        attach(receiver) {
          // What the last receiver named is no place of this one.
          place = undefined;
          delivery.attach(receiver);
        },
        detach() {
          delivery.detach();
          connected.resume();
        },
        write: (bytes) => void connected.write(bytes),
        resume: () => {
          if (delivery.drain()) connected.resume();
        },
      };
    },
  };
}

/** A transport over TLS: `stream` emits what it has decrypted as 'data', which is then copied. */
export function streamTransport(stream: Duplex): Transport {
  const delivery = createDelivery();
  let drivers: ((chunk: Buffer) => void)[] = [];
  const take = (chunk: Buffer) => {
    if (!delivery.copy(chunk)) stream.pause();
  };
  return {
    attach(receiver) {
      delivery.attach(receiver);
      drivers = stream.listeners('data') as typeof drivers;
      stream.on('data', take);
      for (const listener of drivers) stream.off('data', listener);
    },
    detach() {
      delivery.detach();
      for (const listener of drivers) stream.on('data', listener);
      stream.off('data', take);
      stream.resume();
    },
    write: (bytes) => void stream.write(bytes),
    resume: () => {
      if (delivery.drain()) stream.resume();
    },
  };
}

/** Hands bytes that lie elsewhere to a receiver, and keeps those that it has no place for. */
function createDelivery() {
  let current: Receiver | undefined;
  let rest: Uint8Array | undefined;

  function copy(chunk: Uint8Array): boolean {
    let wanted = true;
    let left = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
    rest = undefined;
    while (left.length > 0 && current !== undefined) {
      const space = wanted ? current.space() : undefined;
      if (space === undefined) {
        rest = left;
        return false;
      }
      const count = Math.min(space.length, left.length);
      space.set(left.subarray(0, count));
      left = left.subarray(count);
      wanted = current.received(count);
    }
    return wanted;
  }

  return {
    receiver: () => current,
    attach(receiver: Receiver) {
      current = receiver;
      rest = undefined;
    },
    detach() {
      current = undefined;
      rest = undefined;
    },
    copy,
    /** Hands over what was kept; whether more is wanted. */
    drain: () => rest === undefined || copy(new Uint8Array(0)),
  };
}
