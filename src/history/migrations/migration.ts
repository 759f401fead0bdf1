import { ComportaError } from '../../errors';

/** One step of a store's schema. What has been released is never edited; a change is a new step. */
export interface Migration {
  /** 1, 2, 3, … without gaps. */
  readonly version: number;
  readonly name: string;
  readonly statements: readonly string[];
}

/**
 * The steps that a store at version `applied` (0: none) still needs.
 * @param place the store, for the message.
 * @throws ComportaError ConfigurationInvalid when the store is newer than these steps.
 */
export function pendingMigrations(
  migrations: readonly Migration[],
  applied: number,
  place: string,
): readonly Migration[] {
  const known = migrations.length;
  if (applied > known) {
    throw new ComportaError(
      'ConfigurationInvalid',
      `the history in ${place} has version ${applied}, this Comporta knows versions up to ${known}`,
      { remedy: 'run the newer Comporta that wrote it everywhere, or name another history' },
    );
  }
  return migrations.filter(({ version }) => version > applied);
}
