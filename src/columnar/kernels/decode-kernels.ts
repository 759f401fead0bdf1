/**
 * What kernels/fields.ts, kernels/postgres.ts and kernels/mysql.ts export. Arguments are addresses
 * in a `KernelMemory`, offsets from `bytes`, counts and sizes; what they do is said there.
 */
export interface DecodeKernels {
  gatherValues(this: void, starts: number, ends: number, valid: number, rows: number): number;
  otherWidths(this: void, starts: number, ends: number, count: number, width: number): number;
  placeSideBySide(this: void, starts: number, ends: number, count: number, width: number): void;

  postgresWalk(
    this: void,
    bytes: number,
    at: number,
    filled: number,
    columns: number,
    places: number,
    stride: number,
    row: number,
    capacity: number,
    nulls: number,
    state: number,
  ): number;
  postgresBooleans(
    this: void,
    bytes: number,
    starts: number,
    ends: number,
    count: number,
    data: number,
  ): number;
  postgresInt16(
    this: void,
    bytes: number,
    starts: number,
    ends: number,
    count: number,
    data: number,
  ): number;
  postgresFixed32(
    this: void,
    bytes: number,
    starts: number,
    ends: number,
    count: number,
    data: number,
  ): number;
  postgresFixed64(
    this: void,
    bytes: number,
    starts: number,
    ends: number,
    count: number,
    data: number,
  ): number;
  postgresDates(
    this: void,
    bytes: number,
    starts: number,
    ends: number,
    count: number,
    data: number,
  ): number;
  postgresTimestamps(
    this: void,
    bytes: number,
    starts: number,
    ends: number,
    count: number,
    data: number,
  ): number;
  postgresDatesLeft(
    this: void,
    bytes: number,
    starts: number,
    valid: number,
    rows: number,
    data: number,
  ): number;
  postgresTimestampsLeft(
    this: void,
    bytes: number,
    starts: number,
    valid: number,
    rows: number,
    data: number,
  ): number;
  postgresDecimals64(
    this: void,
    bytes: number,
    starts: number,
    ends: number,
    from: number,
    count: number,
    precision: number,
    scale: number,
    data: number,
  ): number;
  postgresDecimals128(
    this: void,
    bytes: number,
    starts: number,
    ends: number,
    from: number,
    count: number,
    precision: number,
    scale: number,
    data: number,
  ): number;

  mysqlInt8(this: void, bytes: number, starts: number, count: number, data: number): void;
  mysqlUint8(this: void, bytes: number, starts: number, count: number, data: number): void;
  mysqlInt16(this: void, bytes: number, starts: number, count: number, data: number): void;
  mysqlUint16(this: void, bytes: number, starts: number, count: number, data: number): void;
  mysqlFixed32(this: void, bytes: number, starts: number, count: number, data: number): void;
  mysqlFixed64(this: void, bytes: number, starts: number, count: number, data: number): void;
  mysqlBits(
    this: void,
    bytes: number,
    starts: number,
    ends: number,
    count: number,
    data: number,
  ): number;
  mysqlDates(
    this: void,
    bytes: number,
    starts: number,
    ends: number,
    count: number,
    data: number,
  ): number;
  mysqlTimestamps(
    this: void,
    bytes: number,
    starts: number,
    ends: number,
    count: number,
    data: number,
  ): number;
  mysqlDurations(
    this: void,
    bytes: number,
    starts: number,
    ends: number,
    count: number,
    data: number,
  ): number;
  mysqlDatesLeft(
    this: void,
    bytes: number,
    starts: number,
    ends: number,
    valid: number,
    rows: number,
    data: number,
  ): number;
  mysqlTimestampsLeft(
    this: void,
    bytes: number,
    starts: number,
    ends: number,
    valid: number,
    rows: number,
    data: number,
  ): number;
  mysqlDurationsLeft(
    this: void,
    bytes: number,
    starts: number,
    ends: number,
    valid: number,
    rows: number,
    data: number,
  ): number;
  mysqlDecimals64(
    this: void,
    bytes: number,
    starts: number,
    ends: number,
    from: number,
    count: number,
    precision: number,
    scale: number,
    data: number,
  ): number;
  mysqlDecimals128(
    this: void,
    bytes: number,
    starts: number,
    ends: number,
    from: number,
    count: number,
    precision: number,
    scale: number,
    data: number,
  ): number;
}
