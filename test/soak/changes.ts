import type { Random } from '../../scripts/demo/sample/random';
import {
  insertStatement,
  openSession,
  type Session,
  type SoakSource,
  type SoakTable,
} from './sources';

/**
 * What a change did: rows or columns are others now; perhaps they are (the server cannot be asked
 * any more, or it was rolled back, which its evidence does not tell from a change); nothing.
 */
export type Effect = 'changed' | 'perhaps' | 'nothing';

export interface Change {
  readonly pipeline: string;
  readonly table: string;
  readonly kind: string;
  readonly effect: Effect;
  /** Whether a definition was changed (DDL), of which MariaDB's log does not say which tables it touched. */
  readonly isDefinition: boolean;
  /** Milliseconds since 1970: from its first statement until its commit was confirmed. */
  readonly from: number;
  readonly to: number;
}

interface Kind {
  readonly name: string;
  /** How often, against the others. */
  readonly weight: number;
  readonly statements: (table: SoakTable, random: Random) => readonly string[];
  /** When its statements touched rows, or may do so unseen by their count. */
  readonly effect: Effect;
}

const MOST_EXTRA_COLUMNS = 3;

const KINDS: readonly Kind[] = [
  {
    name: 'insert',
    weight: 6,
    effect: 'changed',
    statements: ({ dialect, name }, random) => [
      insertStatement(dialect, name, random.integer(1, 20), random.integer(1, 1e6)),
    ],
  },
  {
    name: 'update',
    weight: 6,
    effect: 'changed',
    statements: ({ name }, random) => {
      const modulus = random.integer(2, 40);
      return [`UPDATE ${name} SET amount = amount + 1 WHERE id % ${modulus} = 1`];
    },
  },
  {
    name: 'delete',
    weight: 3,
    effect: 'changed',
    statements: ({ name }, random) => [
      `DELETE FROM ${name} WHERE id % ${random.integer(10, 60)} = ${random.integer(0, 9)}`,
    ],
  },
  {
    name: 'transaction',
    weight: 3,
    effect: 'changed',
    statements: ({ dialect, name }, random) => [
      'BEGIN',
      insertStatement(dialect, name, 3, random.integer(1, 1e6)),
      `UPDATE ${name} SET note = 'edited ${random.integer(1, 1e6)}' WHERE id % 11 = 3`,
      `DELETE FROM ${name} WHERE id % 53 = 7`,
      'COMMIT',
    ],
  },
  {
    name: 'bulk load',
    weight: 1,
    effect: 'changed',
    statements: ({ dialect, name }, random) => [
      insertStatement(dialect, name, 3_000, random.integer(1, 1e6)),
    ],
  },
  {
    name: 'truncate',
    weight: 1,
    effect: 'changed',
    statements: ({ dialect, name }, random) => [
      `TRUNCATE TABLE ${name}`,
      insertStatement(dialect, name, random.integer(1, 50), random.integer(1, 1e6)),
    ],
  },
  {
    name: 'add a column',
    weight: 1,
    effect: 'changed',
    statements: (table, random) => {
      if (table.extraColumns >= MOST_EXTRA_COLUMNS) return [];
      table.extraColumns += 1;
      const column = `extra_${table.extraColumns}_${random.integer(1, 1e6)}`;
      return [
        `ALTER TABLE ${table.name} ADD COLUMN ${column} INT DEFAULT ${random.integer(1, 99)}`,
        insertStatement(table.dialect, table.name, 1, random.integer(1, 1e6)),
      ];
    },
  },
  {
    name: 'update of no row',
    weight: 3,
    effect: 'nothing',
    statements: ({ name }) => [`UPDATE ${name} SET amount = 0 WHERE id < 0`],
  },
  {
    name: 'rollback',
    weight: 1,
    effect: 'perhaps',
    statements: ({ name }) => ['BEGIN', `UPDATE ${name} SET note = NULL`, 'ROLLBACK'],
  },
];

const DEFINITIONS = new Set(['truncate', 'add a column']);

const LOTTERY = KINDS.flatMap((kind) => Array.from({ length: kind.weight }, () => kind));

/** A user of one database: changes what it is told to, and notes what came of it. */
export class User {
  private session: Session | undefined;

  constructor(
    private readonly source: SoakSource,
    private readonly log: Change[],
  ) {}

  /** One random change of a random table. A database that is away costs the change only. */
  async change(random: Random): Promise<void> {
    const table = random.pick(this.source.tables);
    const kind = random.pick(LOTTERY);
    const statements = kind.statements(table, random);
    const from = Date.now();
    const effect = await this.run(statements, kind);
    this.note(table, kind.name, effect, from);
  }

  /**
   * A transaction that stays open over `meanwhile`; `commits` decides how it ends. Its locks are on
   * one row.
   */
  async holdOpen(random: Random, commits: boolean, meanwhile: () => Promise<void>): Promise<void> {
    const table = random.pick(this.source.tables);
    const from = Date.now();
    let effect: Effect = 'perhaps';
    const session = await openSession(this.source).catch(() => undefined);
    await session?.run('BEGIN').catch(() => undefined);
    const touched = await session
      ?.run(
        `UPDATE ${table.name} SET amount = amount + 3 WHERE id = (SELECT * FROM (SELECT MIN(id) FROM ${table.name}) m)`,
      )
      .catch(() => 0);
    await meanwhile();
    try {
      await session?.run(commits ? 'COMMIT' : 'ROLLBACK');
      if (commits && (touched ?? 0) > 0) effect = 'changed';
    } catch {
      // It is not known whether the server still did it.
    }
    await session?.close();
    this.note(table, 'long transaction', effect, from);
  }

  /** Logs off. What a PostgreSQL session still has to count is counted then. */
  async leave(): Promise<void> {
    await this.session?.close();
    this.session = undefined;
  }

  private async run(statements: readonly string[], kind: Kind): Promise<Effect> {
    try {
      this.session ??= await openSession(this.source);
      let touched = 0;
      for (const statement of statements) touched += await this.session.run(statement);
      if (kind.effect === 'changed' && touched === 0) return 'perhaps';
      return kind.effect;
    } catch {
      await this.leave();
      return 'perhaps';
    }
  }

  private note({ pipeline, id }: SoakTable, kind: string, effect: Effect, from: number): void {
    const isDefinition = DEFINITIONS.has(kind);
    this.log.push({ pipeline, table: id, kind, effect, isDefinition, from, to: Date.now() });
  }
}
