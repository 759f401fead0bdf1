import type { ConnectionInput } from '../connections-schema';
import type { Partly } from '../issues';

/** A connection of a type as connections.yaml has it, as far as that could be made out. */
export type Input<Type extends ConnectionInput['type']> = Partly<
  Extract<ConnectionInput, { type: Type }>
>;
