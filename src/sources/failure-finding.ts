import { ComportaError, messageOf } from '../errors';
import type { Finding } from './source';

/** An error that ends a check, as what the check found. `remedy`: where the error names none. */
export function failureFinding(subject: string, error: unknown, remedy: string): Finding {
  return {
    severity: 'error',
    subject,
    problem: messageOf(error),
    remedy: (error instanceof ComportaError ? error.remedy : undefined) ?? remedy,
  };
}
