const VARIABLE = 'GOOGLE_APPLICATION_CREDENTIALS';

/** Has Google's libraries look for credentials in files that are not there, one after the other. */
export async function withMissingCredentials(
  files: readonly string[],
  body: (file: string) => Promise<void>,
): Promise<void> {
  const before = process.env[VARIABLE];
  try {
    for (const file of files) {
      process.env[VARIABLE] = `/nowhere/${file}`;
      await body(file);
    }
  } finally {
    if (before === undefined) delete process.env[VARIABLE];
    else process.env[VARIABLE] = before;
  }
}
