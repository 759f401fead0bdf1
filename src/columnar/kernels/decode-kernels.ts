/**
 * What kernels/fields.ts, kernels/postgres.ts and kernels/mysql.ts export. Arguments are addresses
 * in a `KernelMemory`, offsets from `bytes`, counts and sizes; what they do is said there.
 */
export interface DecodeKernels {
  gatherValues(starts: number, ends: number, valid: number, rows: number): number;
  otherWidths(starts: number, ends: number, count: number, width: number): number;
  placeSideBySide(starts: number, ends: number, count: number, width: number): void;

  postgresWalk(
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
    bytes: number,
    starts: number,
    ends: number,
    count: number,
    data: number,
  ): number;
  postgresInt16(bytes: number, starts: number, ends: number, count: number, data: number): number;
  postgresFixed32(bytes: number, starts: number, ends: number, count: number, data: number): number;
  postgresFixed64(bytes: number, starts: number, ends: number, count: number, data: number): number;
  postgresDates(bytes: number, starts: number, ends: number, count: number, data: number): number;
  postgresTimestamps(
    bytes: number,
    starts: number,
    ends: number,
    count: number,
    data: number,
  ): number;
  postgresDatesLeft(
    bytes: number,
    starts: number,
    valid: number,
    rows: number,
    data: number,
  ): number;
  postgresTimestampsLeft(
    bytes: number,
    starts: number,
    valid: number,
    rows: number,
    data: number,
  ): number;
  postgresDecimals64(
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
    bytes: number,
    starts: number,
    ends: number,
    from: number,
    count: number,
    precision: number,
    scale: number,
    data: number,
  ): number;

  mysqlWalk(
    bytes: number,
    at: number,
    filled: number,
    sequence: number,
    widths: number,
    columns: number,
    places: number,
    stride: number,
    row: number,
    capacity: number,
    nulls: number,
    state: number,
  ): number;
  mysqlWalkRow(
    bytes: number,
    at: number,
    end: number,
    widths: number,
    columns: number,
    places: number,
    stride: number,
    row: number,
    nulls: number,
  ): number;
  mysqlInt8(bytes: number, starts: number, count: number, data: number): void;
  mysqlUint8(bytes: number, starts: number, count: number, data: number): void;
  mysqlInt16(bytes: number, starts: number, count: number, data: number): void;
  mysqlUint16(bytes: number, starts: number, count: number, data: number): void;
  mysqlFixed32(bytes: number, starts: number, count: number, data: number): void;
  mysqlFixed64(bytes: number, starts: number, count: number, data: number): void;
  mysqlBits(bytes: number, starts: number, ends: number, count: number, data: number): number;
  mysqlDates(bytes: number, starts: number, ends: number, count: number, data: number): number;
  mysqlTimestamps(bytes: number, starts: number, ends: number, count: number, data: number): number;
  mysqlDurations(bytes: number, starts: number, ends: number, count: number, data: number): number;
  mysqlDatesLeft(
    bytes: number,
    starts: number,
    ends: number,
    valid: number,
    rows: number,
    data: number,
  ): number;
  mysqlTimestampsLeft(
    bytes: number,
    starts: number,
    ends: number,
    valid: number,
    rows: number,
    data: number,
  ): number;
  mysqlDurationsLeft(
    bytes: number,
    starts: number,
    ends: number,
    valid: number,
    rows: number,
    data: number,
  ): number;
  mysqlDecimals64(
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
